//! The text of a PDF. Parsers of PDFs are large and their input is hostile, so one runs as a process of its own inside the
//! sandbox, without network, with limits of time and memory: [`PdfExtract`] starts it and reads its answer, [`parse`] is what it does.

mod parse;
mod place;

pub use parse::{Answer, parse};

use place::Place;
use ports::{
    Sandbox,
    extract::{Extract, ExtractError, Extracted, File},
    sandbox::{Cancel, Ended, Exec, ExecResult, Limits, SandboxError},
};
use std::{path::PathBuf, sync::Arc, time::Duration};

/// For one file. Some thousand pages take a few seconds; who needs longer unpacks without end. The time can be set.
pub const LIMITS: Limits = Limits {
    wall: Duration::from_secs(90),
    memory: 1 << 30,
    processes: 64,
    output: 64 << 20,
};

/// The parser's own limit to what one stream unpacks to, in MB, is lifted above that of the memory: where it stops, it takes the rest of the page
/// for blank and says nothing.
const STREAM: &str = "PDF_OXIDE_MAX_DECOMPRESS_MB=4096";

/// The hidden command of the program that [`parse`]s.
pub const COMMAND: &str = "read-pdf";

/// Whether these are the bytes of a PDF; some have a few others in front.
#[must_use]
pub fn is_pdf(bytes: &[u8]) -> bool {
    let head = &bytes[..bytes.len().min(1024)];
    head.windows(5).any(|five| five == b"%PDF-")
}

pub struct PdfExtract {
    sandbox: Arc<dyn Sandbox>,
    /// Of directories that are shown to the sandbox, one for each file.
    scratch: PathBuf,
    /// Whom the sandbox becomes when this process is root.
    user: Option<u32>,
    limits: Limits,
}

impl PdfExtract {
    /// `scratch` should be on the program's own file system: then the sandbox sees a link to it, else a copy.
    #[must_use]
    pub fn new(sandbox: Arc<dyn Sandbox>, scratch: PathBuf) -> Self {
        Self {
            sandbox,
            scratch,
            user: None,
            limits: LIMITS,
        }
    }

    /// The directories are this user's, if any.
    #[must_use]
    pub fn owned_by(self, user: Option<u32>) -> Self {
        Self { user, ..self }
    }

    /// No file takes longer than this.
    #[must_use]
    pub fn within(mut self, wall: Duration) -> Self {
        self.limits.wall = wall;
        self
    }

    async fn run(&self, place: &Place) -> Result<ExecResult, ExtractError> {
        let exec = Exec {
            command: format!(
                "{STREAM} ./{} {COMMAND} {} 2>/dev/null",
                place::PROGRAM,
                place::FILE
            ),
            workspace: place.directory.clone(),
            files: Vec::new(),
            read_only: true,
            limits: self.limits,
        };
        let run = self.sandbox.run(exec, Cancel::default()).await;
        run.map_err(|error| match error {
            SandboxError::Unavailable(why) => ExtractError::Unreadable(format!(
                "PDFs are read only in a sandbox, and there is none here: {why}."
            )),
            other => ExtractError::Io(other.to_string()),
        })
    }
}

#[async_trait::async_trait]
impl Extract for PdfExtract {
    async fn extract(&self, file: File<'_>) -> Result<Extracted, ExtractError> {
        let cannot = |error: std::io::Error| ExtractError::Io(error.to_string());
        let place = Place::make(&self.scratch, self.user, file.bytes).map_err(cannot)?;
        let result = self.run(&place).await?;
        drop(place);
        understand(&result, self.limits.wall)
    }
}

fn understand(result: &ExecResult, wall: Duration) -> Result<Extracted, ExtractError> {
    let unreadable = |why: &str| Err(ExtractError::Unreadable(why.to_owned()));
    match result.ended {
        Ended::Exit(0) if result.output_bytes <= result.output.len() as u64 => {}
        Ended::Exit(0) | Ended::TooMuchOutput => {
            return unreadable("this PDF holds more than 64 MB of text: split it.");
        }
        Ended::TimedOut => {
            return unreadable(&format!(
                "this PDF takes longer than {} seconds to read: split it, or send its text.",
                wall.as_secs()
            ));
        }
        // Where memory is limited by rlimits, an allocation fails and the process aborts.
        Ended::OutOfMemory | Ended::Signal(6 | 9) => {
            return unreadable("this PDF unpacks to more than 1 GB: it was not read.");
        }
        Ended::Cancelled => return Err(ExtractError::Io("cancelled".to_owned())),
        Ended::Exit(_) | Ended::Signal(_) => return unreadable(parse::BROKEN),
    }
    match serde_json::from_slice::<Answer>(&result.output) {
        Ok(Answer::Read(extracted)) => Ok(extracted),
        Ok(Answer::Unreadable(why)) => Err(ExtractError::Unreadable(why)),
        Err(_) => unreadable(parse::BROKEN),
    }
}

#[cfg(test)]
mod tests;
