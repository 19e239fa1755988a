//! What people see of a command: lines of at most 80 columns, in colours on a terminal.

use std::{
    io::{self, IsTerminal, Write},
    thread::sleep,
    time::Duration,
};

/// Columns of a line.
const COLUMNS: usize = 80;
/// On a terminal, between two lines of a conversation: as fast as one can follow.
const PACE: Duration = Duration::from_millis(250);

/// Standard output.
pub(super) struct Terminal {
    paced: bool,
}

/// What a line is about.
#[derive(Clone, Copy)]
pub(super) enum Mark {
    /// A client calls a tool.
    Call,
    /// The tool answers.
    Answer,
    /// The client is notified, unasked.
    Notified,
}

impl Terminal {
    pub(super) fn new() -> Self {
        Self { paced: io::stdout().is_terminal() }
    }

    /// A line of somebody's.
    pub(super) fn line(&self, name: &str, mark: Mark, words: &str) -> io::Result<()> {
        let (sign, colour) = match mark {
            Mark::Call => (">", 36),
            Mark::Answer => ("<", 2),
            Mark::Notified => ("*", 33),
        };
        self.item(&format!("{name:<5} {sign} "), words, colour)?;
        if self.paced {
            sleep(PACE);
        }
        Ok(())
    }

    /// Words behind a head, each further line as far to the right as the first.
    pub(super) fn item(&self, head: &str, words: &str, colour: u8) -> io::Result<()> {
        let mut head = head.to_owned();
        for piece in wrap(words, COLUMNS - head.len()) {
            self.write(&format!("{head}\x1b[{colour}m{piece}\x1b[0m"))?;
            head = " ".repeat(head.len());
        }
        Ok(())
    }

    /// A paragraph.
    pub(super) fn say(&self, words: &str) -> io::Result<()> {
        wrap(words, COLUMNS).iter().try_for_each(|piece| self.write(piece))
    }

    /// A heading.
    pub(super) fn head(&self, words: &str) -> io::Result<()> {
        self.write(&format!("\x1b[1m{words}\x1b[0m"))
    }

    /// A line as it is: to be copied.
    pub(super) fn copy(&self, line: &str) -> io::Result<()> {
        self.write(&format!("  {line}"))
    }

    /// A blank line.
    pub(super) fn blank(&self) -> io::Result<()> {
        self.write("")
    }

    /// Colours are left out where there is no terminal or its user wants none.
    fn write(&self, line: &str) -> io::Result<()> {
        writeln!(anstream::stdout().lock(), "{line}")
    }
}

/// Cuts at spaces. What controls a terminal is taken out: partly it is somebody else's words.
fn wrap(words: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in words.split_whitespace() {
        let word: String = word.chars().filter(|character| !character.is_control()).collect();
        let line = lines.last_mut().expect("there is always a line");
        let needed = usize::from(!line.is_empty()) + word.chars().count();
        if line.chars().count() + needed > columns && !line.is_empty() {
            lines.push(word);
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(&word);
        }
    }
    lines
}

#[cfg(test)]
mod tests;
