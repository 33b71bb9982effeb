//! Output for programs: one JSON object a line.

use std::io::Write;

use serde::Serialize;

/// Writes an object and ends its line, so that a reader has it at once.
///
/// # Errors
/// It cannot be written.
pub fn write_line(out: &mut impl Write, value: &impl Serialize) -> anyhow::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    writeln!(out)?;
    Ok(out.flush()?)
}
