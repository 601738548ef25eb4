//! What is in the file: JSON with the salt, the nonce and the ciphertext of a JSON object `{name: value}`.
//!
//! The cipher is ChaCha20-Poly1305 (RFC 8439), the key is derived with PBKDF2-HMAC-SHA256, both of `ring`, which is in the program
//! for TLS already. The nonce is new with every write; the salt stays, so that a process derives the key once.

use base64::{Engine, engine::general_purpose::STANDARD};
use ports::secrets::SecretsError;
use ring::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    pbkdf2,
    rand::{SecureRandom, SystemRandom},
};
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;

/// OWASP's number for PBKDF2-HMAC-SHA256 (Password Storage Cheat Sheet): a good key does not need it, a poor one does.
const ROUNDS: NonZeroU32 = match NonZeroU32::new(600_000) {
    Some(rounds) => rounds,
    None => NonZeroU32::MIN,
};
const VERSION: u32 = 1;

/// The file.
#[derive(Clone, Serialize, Deserialize)]
pub struct Sealed {
    version: u32,
    /// Hexadecimal, 16 bytes.
    salt: String,
    /// Hexadecimal, 12 bytes.
    nonce: String,
    /// Base64.
    sealed: String,
}

/// A key with the salt that it was derived from.
pub struct Key {
    salt: String,
    key: LessSafeKey,
}

impl Key {
    pub fn derive(passphrase: &str, sealed: &Sealed) -> Result<Self, SecretsError> {
        let (mut bytes, salt) = ([0; 32], sealed.salt.clone());
        let salt_bytes = hex::decode(&salt).map_err(|_| unreadable("salt"))?;
        let algorithm = pbkdf2::PBKDF2_HMAC_SHA256;
        pbkdf2::derive(
            algorithm,
            ROUNDS,
            &salt_bytes,
            passphrase.as_bytes(),
            &mut bytes,
        );
        let key = UnboundKey::new(&CHACHA20_POLY1305, &bytes).map_err(|_| unreadable("key"))?;
        let key = LessSafeKey::new(key);
        Ok(Self { salt, key })
    }

    pub fn is_for(&self, sealed: &Sealed) -> bool {
        self.salt == sealed.salt
    }
}

impl Sealed {
    /// With nothing in it yet, under a salt of its own.
    pub fn new() -> Result<Self, SecretsError> {
        Ok(Self {
            version: VERSION,
            salt: hex::encode(random::<16>()?),
            nonce: String::new(),
            sealed: String::new(),
        })
    }

    pub fn parse(text: &str) -> Result<Self, SecretsError> {
        let sealed: Self = serde_json::from_str(text).map_err(|e| unreadable(&e.to_string()))?;
        match sealed.version {
            VERSION => Ok(sealed),
            other => Err(unreadable(&format!("version {other}"))),
        }
    }

    pub fn text(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    pub fn seal(&mut self, key: &Key, plain: Vec<u8>) -> Result<(), SecretsError> {
        let (nonce, mut bytes) = (random::<NONCE_LEN>()?, plain);
        let sealing = Nonce::assume_unique_for_key(nonce);
        key.key
            .seal_in_place_append_tag(sealing, self.bound(), &mut bytes)
            .map_err(|_| SecretsError::Io("it could not be encrypted".to_owned()))?;
        self.nonce = hex::encode(nonce);
        self.sealed = STANDARD.encode(bytes);
        Ok(())
    }

    pub fn open(&self, key: &Key) -> Result<Vec<u8>, SecretsError> {
        let nonce = hex::decode(&self.nonce).map_err(|_| unreadable("nonce"))?;
        let nonce = Nonce::try_assume_unique_for_key(&nonce).map_err(|_| unreadable("nonce"))?;
        let mut bytes = STANDARD
            .decode(&self.sealed)
            .map_err(|_| unreadable("text"))?;
        let plain = key.key.open_in_place(nonce, self.bound(), &mut bytes);
        plain
            .map(|plain| plain.to_vec())
            .map_err(|_| SecretsError::WrongKey)
    }

    /// What is not secret and must not change either.
    fn bound(&self) -> Aad<String> {
        Aad::from(format!("countersign secrets {}", self.version))
    }
}

fn unreadable(what: &str) -> SecretsError {
    SecretsError::Unreadable(what.to_owned())
}

fn random<const N: usize>() -> Result<[u8; N], SecretsError> {
    let mut bytes = [0; N];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| SecretsError::Io("the system gives no random numbers".to_owned()))?;
    Ok(bytes)
}
