//! Runs the command line and turns what came of it into an exit code: 0 done; 1 ran, and the answer is no or it failed;
//! 2 the command line or the set-up is at fault. A reader that closes the pipe early (`| head`) is no fault.

use std::process::ExitCode;

use image2song::cli;

/// Many short-lived tensors: the system allocator gives each back to the kernel and faults it in again.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match cli::run(std::env::args_os()) {
        Ok(outcome) => ExitCode::from(outcome.exit_code()),
        Err(error) if cli::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            cli::print_error(&error);
            ExitCode::from(cli::exit_code(&error))
        }
    }
}
