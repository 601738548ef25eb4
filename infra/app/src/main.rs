//! The program `countersign`: parses the command line, everything else is in the library.

use app::cli::{Arguments, run};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::of_this_process();
    // Every TLS connection of the process; there is one provider in it, so this cannot meet another.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!(
                "countersign: the system gives no threads ({error}): raise the limit of processes."
            );
            return ExitCode::FAILURE;
        }
    };
    let status = runtime.block_on(run(arguments));
    // A thread that reads stdin cannot be stopped; nobody has to wait for it.
    runtime.shutdown_background();
    ExitCode::from(status)
}
