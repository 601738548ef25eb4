//! When segments become fewer: pure, so that it can be measured and tested without an index.

use super::{MANY_GONE, MANY_SEGMENTS, Manifest, Segment};

/// The segments that should be merged now: the smaller half when there are too many, and those that are no larger than all before them,
/// so that a passage is written again a logarithmic number of times. All of them when too much waits to be dropped.
#[must_use]
pub fn merge_plan(manifest: &Manifest) -> Option<Vec<Segment>> {
    let mut segments = manifest.segments.clone();
    if manifest.gone.len() >= MANY_GONE {
        return Some(segments).filter(|segments| !segments.is_empty());
    }
    if segments.len() <= MANY_SEGMENTS {
        return None;
    }
    segments.sort_by_key(|segment| segment.passages);
    let mut size = 0;
    let chosen = segments.iter().enumerate().take_while(|(at, segment)| {
        let takes = *at <= MANY_SEGMENTS / 2 || u64::from(segment.passages) <= size;
        size += u64::from(segment.passages);
        takes
    });
    let count = chosen.count();
    segments.truncate(count);
    Some(segments)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Digest, knowledge::Revision};

    fn manifest(sizes: impl IntoIterator<Item = u32>) -> Manifest {
        let segment = |(at, passages): (usize, u32)| Segment {
            id: at.to_string(),
            blob: Digest::of_bytes(at.to_string()),
            bytes: 0,
            passages,
        };
        Manifest {
            collection: "docs".into(),
            segments: sizes.into_iter().enumerate().map(segment).collect(),
            gone: Vec::new(),
        }
    }

    fn sizes(manifest: &Manifest) -> Option<Vec<u32>> {
        let plan = merge_plan(manifest)?;
        Some(plan.iter().map(|segment| segment.passages).collect())
    }

    #[test]
    fn the_small_ones_are_merged_when_there_are_many() {
        assert_eq!(sizes(&manifest([1; MANY_SEGMENTS])), None);
        assert_eq!(
            sizes(&manifest([1; MANY_SEGMENTS + 1])),
            Some(vec![1; MANY_SEGMENTS + 1])
        );
        let mixed = [900, 800, 700, 600, 500, 5, 5, 5, 5, 5, 5, 5, 5];
        assert_eq!(sizes(&manifest(mixed)), Some(vec![5; 8]));
    }

    #[test]
    fn what_is_gone_is_dropped_in_the_end() {
        let mut manifest = manifest([10, 20]);
        let gone = |revision| Revision {
            document: "one".into(),
            revision,
        };
        manifest.gone = (0..MANY_GONE as u32).map(gone).collect();
        assert_eq!(sizes(&manifest), Some(vec![10, 20]));
        manifest.segments.clear();
        assert_eq!(sizes(&manifest), None);
    }

    /// Ten thousand documents, one by one.
    #[test]
    fn segments_stay_few_and_little_is_written_again() {
        let (mut sizes, mut written) = (Vec::new(), 0_u64);
        for _ in 0..10_000 {
            sizes.push(1);
            let manifest = manifest(sizes.iter().copied());
            if let Some(plan) = merge_plan(&manifest) {
                let merged: u32 = plan.iter().map(|segment| segment.passages).sum();
                let left = manifest.segments.iter().filter(|one| !plan.contains(one));
                sizes = left.map(|one| one.passages).collect();
                sizes.push(merged);
                written += u64::from(merged);
            }
            assert!(sizes.len() <= MANY_SEGMENTS);
        }
        assert!(written < 10 * 10_000, "{written}");
    }
}
