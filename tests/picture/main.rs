//! Draws the picture of the README: a conversation as it really happened in `mcp-shim demo`.
//!
//! `cargo run -p tests --bin picture` writes `tests/picture/conversation.svg`; with `--print` it
//! writes to standard output instead.

#![allow(clippy::unwrap_used, reason = "a tool of the tests fails by panicking")]
#![expect(clippy::print_stdout, reason = "this is a program for people")]

mod drawing;
mod transcript;

use std::process::ExitCode;

use tests::{BINARIES, World, documents::workspace};

fn main() -> ExitCode {
    let world = World::empty(&[]);
    let output = world.run(&BINARIES.shim, &["demo"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let shown = String::from_utf8(output.stdout).unwrap();
    let svg = drawing::draw(&transcript::read(&shown));
    if std::env::args().any(|argument| argument == "--print") {
        print!("{svg}");
    } else {
        std::fs::write(workspace().join("tests/picture/conversation.svg"), svg).unwrap();
    }
    ExitCode::SUCCESS
}
