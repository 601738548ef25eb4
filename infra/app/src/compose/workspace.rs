//! Which directories an agent may be given to work in: none from which it could read the keys and the records of this program,
//! or change them.

use crate::config::{Config, KEYS};
use domain::id::SessionId;
use figment::{
    Figment,
    providers::{Format, Toml},
};
use ports::{
    Workspace,
    workspace::{WorkspaceError, Workspaces},
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use workspace_fs::FsWorkspaces;

/// Whether `directory` may be a workspace. Links are followed on both sides before anything is compared.
///
/// # Errors
/// A sentence: what lies in it that no agent may see, and what to do.
pub fn check(config: &Config, directory: &Path) -> Result<(), String> {
    let (directory, home) = (resolved(directory), resolved(&config.home));
    let shown = directory.display();
    if home != directory && home.starts_with(&directory) {
        return Err(format!(
            "{shown} cannot be a workspace, because the data directory {} with the audit's key is in it: name a directory \
             without it, such as one further down.",
            home.display()
        ));
    }
    let given = resolved(&config.home.join("workspaces"));
    let below = directory != given && directory.starts_with(&given);
    if directory.starts_with(&home) && !below {
        return Err(format!(
            "{shown} cannot be a workspace, because it is part of the data directory {}: name a directory outside of it, or \
             leave the workspace out to get an empty one.",
            home.display()
        ));
    }
    let database = config.database.file().map(resolved);
    if let Some(database) = database.filter(|file| file.starts_with(&directory)) {
        return Err(format!(
            "{shown} cannot be a workspace, because the database {} is in it: name a directory without it, or set \
             COUNTERSIGN_DATABASE_URL to another place.",
            database.display()
        ));
    }
    match config.file.as_deref().map(|file| (file, resolved(file))) {
        Some((file, real)) if real.starts_with(&directory) && holds_secrets(file) => Err(format!(
            "{shown} cannot be a workspace, because the configuration {} is in it and holds a secret: move the file to {}, or \
             its secrets to the environment.",
            real.display(),
            home.display()
        )),
        _ => Ok(()),
    }
}

/// Checks a person's directory each time that it is opened, too: a run that waited may go on in a process with another
/// configuration, and a link may lead elsewhere by then.
pub struct Checked {
    pub config: Arc<Config>,
    pub workspaces: FsWorkspaces,
}

/// The workspaces of this machine.
#[must_use]
pub fn checked(config: &Arc<Config>) -> Checked {
    Checked {
        config: config.clone(),
        workspaces: super::backup::workspaces(config),
    }
}

#[async_trait::async_trait]
impl Workspaces for Checked {
    async fn open(
        &self,
        session: &SessionId,
        own: Option<&str>,
    ) -> Result<Arc<dyn Workspace>, WorkspaceError> {
        let workspace = self.workspaces.open(session, own).await?;
        // The root is what was opened, without links.
        if own.is_some()
            && let Err(why) = check(&self.config, &workspace.root())
        {
            let why = why.trim_end_matches('.').to_owned();
            return Err(WorkspaceError::Refused(why));
        }
        Ok(workspace)
    }
}

/// Also a secret that the environment overrides is one. A file that can't be read may hold anything.
fn holds_secrets(file: &Path) -> bool {
    let Ok(text) = std::fs::read_to_string(file) else {
        return true;
    };
    let file = Figment::from(Toml::string(&text));
    KEYS.iter()
        .filter(|key| key.secret)
        .any(|key| file.find_value(key.path).is_ok())
}

/// Absolute, without links. Of what does not exist yet, the part that does.
fn resolved(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => resolved(parent).join(name),
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, Environment, Places};
    use std::{fs, os::unix::fs::symlink};

    /// A home directory with the data directory `data`, a project and a link to each.
    fn place() -> tempfile::TempDir {
        let place = tempfile::tempdir().unwrap();
        for directory in ["data/workspaces/a", "data/blobs", "project/src", "links"] {
            fs::create_dir_all(place.path().join(directory)).unwrap();
        }
        for name in ["data", "project"] {
            symlink(
                place.path().join(name),
                place.path().join("links").join(name),
            )
            .unwrap();
        }
        place
    }

    fn configured(place: &Path, variables: &[(&str, &str)]) -> Config {
        let environment: Environment = [("COUNTERSIGN_HOME", "data")]
            .iter()
            .chain(variables)
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let file = place.join("project/countersign.toml");
        let places = Places {
            file: file.exists().then_some(file),
            directory: place.to_owned(),
            environment,
            root: false,
        };
        config::load(&places).unwrap()
    }

    #[test]
    fn the_data_directory_is_in_no_workspace_whatever_its_name() {
        let place = place();
        let config = configured(place.path(), &[]);
        let tried = |path: &str| check(&config, &place.path().join(path));
        for (path, complaint) in [
            ("", "is in it"),
            ("data", "is part of"),
            ("links/data", "is part of"),
            ("project/../data", "is part of"),
            ("data/blobs", "is part of"),
            ("links/data/blobs", "is part of"),
            ("data/workspaces", "is part of"),
            ("data/workspaces/../blobs", "is part of"),
        ] {
            let error = tried(path).expect_err(path);
            assert!(error.contains(complaint), "{path}: {error}");
        }
        for path in [
            "project",
            "project/src",
            "links",
            "links/project",
            "data/workspaces/a",
            "links/data/workspaces/a",
        ] {
            assert_eq!(tried(path), Ok(()), "{path}");
        }
    }

    #[tokio::test]
    async fn a_directory_is_checked_when_it_is_opened() {
        let place = place();
        let workspaces = Checked {
            config: Arc::new(configured(place.path(), &[])),
            workspaces: FsWorkspaces::new(place.path().join("data/workspaces"), None),
        };
        let open = async |path: &str| {
            let path = place.path().join(path).display().to_string();
            let opened = workspaces.open(&SessionId::new("s"), Some(&path)).await;
            opened.map(|workspace| workspace.root())
        };
        let link = place.path().join("links/project");
        let project = place.path().join("project").canonicalize().unwrap();
        assert_eq!(open("links/project").await, Ok(project));
        fs::remove_file(&link).unwrap();
        symlink(place.path().join("data"), &link).unwrap();
        let refused = open("links/project").await.unwrap_err();
        assert!(matches!(&refused, WorkspaceError::Refused(why) if why.contains("is part of")));
        assert!(!refused.to_string().ends_with('.'));
        let given = workspaces.open(&SessionId::new("s"), None).await.unwrap();
        assert!(given.root().exists(), "one that is given needs no check");
    }

    #[test]
    fn a_data_directory_by_another_name_or_to_be_made_is_the_same() {
        let place = place();
        let linked = configured(place.path(), &[("COUNTERSIGN_HOME", "links/data")]);
        assert!(check(&linked, &place.path().join("data/blobs")).is_err());
        assert!(check(&linked, &place.path().join("data")).is_err());
        let new = configured(place.path(), &[("COUNTERSIGN_HOME", "links/project/new")]);
        assert!(check(&new, &place.path().join("project")).is_err());
        assert_eq!(check(&new, &place.path().join("project/src")), Ok(()));
    }

    #[test]
    fn a_database_elsewhere_is_in_no_workspace_either() {
        let place = place();
        let config = configured(
            place.path(),
            &[("COUNTERSIGN_DATABASE_URL", "project/x.db")],
        );
        let error = check(&config, &place.path().join("links/project")).unwrap_err();
        assert!(error.contains("COUNTERSIGN_DATABASE_URL"), "{error}");
    }

    #[test]
    fn a_configuration_with_secrets_is_in_no_workspace() {
        let place = place();
        let file = place.path().join("project/countersign.toml");
        let tried = |text: &str, variables: &[(&str, &str)]| {
            fs::write(&file, text).unwrap();
            let config = configured(place.path(), variables);
            check(&config, &place.path().join("project"))
        };
        assert_eq!(tried("workers = 3", &[]), Ok(()));
        assert_eq!(tried("", &[("OPENAI_API_KEY", "x")]), Ok(()));
        let secret = "[openai]\napi_key = \"x\"";
        let error = tried(secret, &[]).unwrap_err();
        assert!(
            error.contains("holds a secret") && error.contains("move the file"),
            "{error}"
        );
        assert!(
            tried(secret, &[("OPENAI_API_KEY", "y")]).is_err(),
            "it is still in the file"
        );
        let elsewhere = configured(place.path(), &[]);
        assert_eq!(check(&elsewhere, &place.path().join("project/src")), Ok(()));
    }
}
