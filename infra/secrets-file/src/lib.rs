//! Secrets in one file: readable for its owner alone (mode 600), and encrypted under a key that is not on the disk.
//!
//! A change writes a new file beside it and renames: a crash leaves the old or the new one. Changes of several processes wait for
//! each other (a lock on `<file>.lock`). What is in the file is told in [`sealed`].

mod sealed;

#[cfg(test)]
mod tests;

use ports::secrets::{Secret, Secrets, SecretsError, check_name};
use rustix::fs::{FlockOperation, flock};
use sealed::{Key, Sealed};
use secrecy::{ExposeSecret, SecretString};
use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

/// Cheap to clone; all clones are the same file.
#[derive(Clone)]
pub struct FileSecrets {
    path: PathBuf,
    passphrase: SecretString,
    /// Deriving the key is slow on purpose, so it is done once for a salt.
    derived: Arc<Mutex<Option<Key>>>,
}

type Values = BTreeMap<String, String>;

impl FileSecrets {
    #[must_use]
    pub fn new(path: PathBuf, passphrase: SecretString) -> Self {
        let derived = Arc::default();
        Self {
            path,
            passphrase,
            derived,
        }
    }

    fn read(&self) -> Result<(Values, Option<Sealed>), SecretsError> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok((Values::new(), None)),
            Err(error) => return Err(failed(&error)),
        };
        let mode = file
            .metadata()
            .map_err(|e| failed(&e))?
            .permissions()
            .mode()
            & 0o777;
        if mode & 0o077 != 0 {
            let path = self.path.display().to_string();
            return Err(SecretsError::Exposed { path, mode });
        }
        let text = io::read_to_string(file).map_err(|error| failed(&error))?;
        let sealed = Sealed::parse(&text)?;
        let plain = self.with_key(&sealed, |key| sealed.open(key))??;
        let values = serde_json::from_slice(&plain).map_err(|_| SecretsError::WrongKey)?;
        Ok((values, Some(sealed)))
    }

    fn with_key<T>(
        &self,
        sealed: &Sealed,
        work: impl FnOnce(&Key) -> T,
    ) -> Result<T, SecretsError> {
        let mut derived = self.derived.lock().unwrap_or_else(PoisonError::into_inner);
        if !derived.as_ref().is_some_and(|key| key.is_for(sealed)) {
            *derived = Some(Key::derive(self.passphrase.expose_secret(), sealed)?);
        }
        derived.as_ref().map(work).ok_or(SecretsError::WrongKey)
    }

    fn change<T>(&self, change: impl FnOnce(&mut Values) -> T) -> Result<T, SecretsError> {
        let _lock = self.lock().map_err(|error| failed(&error))?;
        let (mut values, before) = self.read()?;
        let answer = change(&mut values);
        let mut sealed = before.map_or_else(Sealed::new, Ok)?;
        let plain = serde_json::to_vec(&values).map_err(|e| SecretsError::Io(e.to_string()))?;
        self.with_key(&sealed.clone(), |key| sealed.seal(key, plain))??;
        self.write(&sealed.text()).map_err(|error| failed(&error))?;
        Ok(answer)
    }

    fn lock(&self) -> io::Result<File> {
        let file = private()
            .create(true)
            .truncate(false)
            .open(self.beside("lock"))?;
        flock(&file, FlockOperation::LockExclusive)?;
        Ok(file)
    }

    fn write(&self, text: &str) -> io::Result<()> {
        let draft = self.beside("new");
        let _ = fs::remove_file(&draft);
        let mut file = private().create_new(true).open(&draft)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&draft, &self.path)?;
        let directory = self.path.parent().filter(|parent| parent.is_dir());
        directory.map_or(Ok(()), |directory| File::open(directory)?.sync_all())
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        let mut path = self.path.clone().into_os_string();
        path.push(format!(".{suffix}"));
        path.into()
    }
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}

fn failed(error: &io::Error) -> SecretsError {
    SecretsError::Io(error.to_string())
}

#[async_trait::async_trait]
impl Secrets for FileSecrets {
    async fn all(&self) -> Result<Vec<Secret>, SecretsError> {
        let (values, _) = self.apart(|file| file.read()).await?;
        let secret = |(name, value)| Secret {
            name,
            value: SecretString::from(value),
        };
        Ok(values.into_iter().map(secret).collect())
    }

    async fn set(&self, secret: Secret) -> Result<(), SecretsError> {
        check_name(&secret.name)?;
        self.apart(move |file| {
            file.change(|values| {
                let value = secret.value.expose_secret().to_owned();
                values.insert(secret.name, value);
            })
        })
        .await
    }

    async fn remove(&self, name: &str) -> Result<bool, SecretsError> {
        let name = name.to_owned();
        self.apart(move |file| file.change(|values| values.remove(&name).is_some()))
            .await
    }
}

impl FileSecrets {
    /// Files and key derivation block.
    async fn apart<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, SecretsError> + Send + 'static,
    ) -> Result<T, SecretsError> {
        let file = self.clone();
        tokio::task::spawn_blocking(move || work(&file))
            .await
            .map_err(|error| SecretsError::Io(error.to_string()))?
    }
}
