//! The best of very many, and whoever is as good as the last of them.

pub struct Best<T> {
    count: usize,
    /// At least so good is who is kept.
    worst: f32,
    kept: Vec<(f32, T)>,
    /// When to look again who is not among the best.
    full: usize,
}

impl<T> Best<T> {
    /// Nobody with less than `least` is among them.
    pub fn new(count: usize, least: f32) -> Self {
        Self {
            count: count.max(1),
            worst: least,
            kept: Vec::new(),
            full: 2 * count.max(1),
        }
    }

    pub fn count(&self) -> usize {
        self.count
    }

    /// Whoever is not at least so good is not among the best.
    pub fn threshold(&mut self) -> f32 {
        self.prune();
        self.worst
    }

    /// The threshold as it was when last somebody looked; it only grows.
    #[inline]
    pub fn least(&self) -> f32 {
        self.worst
    }

    #[inline]
    pub fn push(&mut self, score: f32, who: T) {
        if score >= self.worst {
            self.keep(score, who);
        }
    }

    fn keep(&mut self, score: f32, who: T) {
        self.kept.push((score, who));
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
    pub fn harvest(mut self) -> Vec<(f32, T)> {
        self.prune();
        self.kept
    }
}
