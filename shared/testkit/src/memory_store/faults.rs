//! Failures that a test ordered.

use ports::store::StoreError;

#[derive(Default)]
pub(super) struct Faults {
    pub any: Fault,
    pub commits: Fault,
    pub after_commit: Fault,
}

/// So many times this error.
#[derive(Default)]
pub(super) struct Fault {
    left: usize,
    error: Option<fn(String) -> StoreError>,
}

impl Fault {
    pub fn set(&mut self, times: usize, error: fn(String) -> StoreError) {
        *self = Self {
            left: times,
            error: Some(error),
        };
    }

    /// Uses up one, if there is one left.
    pub fn take(&mut self) -> Result<(), StoreError> {
        match (self.left, self.error) {
            (1.., Some(error)) => {
                self.left -= 1;
                Err(error("a fault that the test ordered".to_owned()))
            }
            _ => Ok(()),
        }
    }
}
