//! The best of very many, and whoever is as good as the last of them.

use super::Place;

#[derive(Clone)]
pub struct Best {
    count: usize,
    /// At least so good is who is kept.
    worst: f32,
    kept: Vec<(f32, Place)>,
    /// When to look again who is not among the best.
    full: usize,
}

impl Best {
    /// More than 0 scores who is among them.
    pub fn new(count: usize) -> Self {
        Self {
            count: count.max(1),
            worst: f32::MIN_POSITIVE,
            kept: Vec::new(),
            full: 2 * count.max(1),
        }
    }

    /// Whoever is not at least so good is not among the best.
    pub fn threshold(&mut self) -> f32 {
        self.prune();
        self.worst
    }

    /// It is known that as many are at least so good.
    pub fn raise(&mut self, threshold: f32) {
        self.worst = self.worst.max(threshold);
    }

    #[inline]
    pub fn push(&mut self, score: f32, place: Place) {
        if score >= self.worst {
            self.keep(score, place);
        }
    }

    fn keep(&mut self, score: f32, place: Place) {
        self.kept.push((score, place));
        if self.kept.len() >= self.full {
            self.prune();
            self.full = 2 * self.kept.len();
        }
    }

    fn prune(&mut self) {
        if self.kept.len() < self.count {
            return;
        }
        let last = self.count - 1;
        let (_, worst, _) = self
            .kept
            .select_nth_unstable_by(last, |a, b| b.0.total_cmp(&a.0));
        self.worst = worst.0;
        let worst = self.worst;
        self.kept.retain(|(score, _)| *score >= worst);
    }

    /// In no order.
    pub fn harvest(mut self) -> Vec<(f32, Place)> {
        self.prune();
        self.kept
    }
}
