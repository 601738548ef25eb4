//! A directory that holds one file and the program that reads it, for as long as that takes.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, chown},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

pub const PROGRAM: &str = "countersign";
pub const FILE: &str = "document.pdf";

static COUNT: AtomicU64 = AtomicU64::new(0);

pub struct Place {
    pub directory: PathBuf,
}

impl Place {
    /// Readable by whomever the sandbox becomes.
    pub fn make(scratch: &Path, user: Option<u32>, bytes: &[u8]) -> io::Result<Self> {
        fs::create_dir_all(scratch)?;
        sweep(scratch);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let directory = scratch.join(format!("{}.{number}", std::process::id()));
        // What is left from a process that had our number.
        let _ = fs::remove_dir_all(&directory);
        DirBuilder::new().mode(0o755).create(&directory)?;
        let place = Self { directory };
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o644)
            .open(place.directory.join(FILE))?;
        file.write_all(bytes)?;
        program(&place.directory.join(PROGRAM))?;
        if user.is_some() {
            chown(&place.directory, user, user)?;
        }
        Ok(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// This program, under another name. A link costs nothing; what is on another file system, or belongs to somebody else, is copied.
fn program(to: &Path) -> io::Result<()> {
    let linked = std::env::current_exe().and_then(|program| fs::hard_link(program, to));
    if linked.is_ok() {
        return Ok(());
    }
    // Also where the program was replaced meanwhile: it is still the one that runs.
    let mut running = fs::File::open("/proc/self/exe")?;
    let mut copy = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o755)
        .open(to)?;
    io::copy(&mut running, &mut copy)?;
    Ok(())
}

/// Takes away what killed processes left.
fn sweep(scratch: &Path) {
    for entry in fs::read_dir(scratch).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.split_once('.'));
        if let Some((process, _)) = process
            && !Path::new("/proc").join(process).exists()
        {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
