//! Identifiers and secrets from the operating system's randomness.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ports::Chance;
use uuid::Uuid;

/// Of 24 bytes: 192 bits, 32 characters.
const SECRET_BYTES: usize = 24;

#[derive(Clone, Copy, Debug, Default)]
pub struct SystemChance;

impl Chance for SystemChance {
    fn id(&self) -> String {
        // Ids of one process keep their order within a millisecond too: uuid counts up in shared state.
        Uuid::now_v7().simple().to_string()
    }

    fn secret(&self) -> String {
        let mut bytes = [0; SECRET_BYTES];
        if getrandom::fill(&mut bytes).is_err() {
            // A secret that could be guessed is worse than no process.
            eprintln!("countersign: the operating system gives no random numbers; stopping.");
            std::process::abort();
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_sort_by_age() {
        let ids: Vec<String> = (0..10_000).map(|_| SystemChance.id()).collect();
        assert!(ids.is_sorted());
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
        assert!(
            ids.iter()
                .all(|id| id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()))
        );
    }

    #[test]
    fn secrets_are_of_the_promised_letters() {
        let secrets: HashSet<String> = (0..1000).map(|_| SystemChance.secret()).collect();
        assert_eq!(secrets.len(), 1000);
        for secret in secrets {
            assert_eq!(secret.len(), 32);
            assert!(
                secret
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'),
                "{secret}"
            );
        }
    }
}
