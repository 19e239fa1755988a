//! The demo on a screen: who does what, in lines of at most 80 columns, in colours on a terminal.

use std::{
    io::{self, IsTerminal, Write},
    thread::sleep,
    time::Duration,
};

/// Columns of a screen.
const COLUMNS: usize = 80;
/// Columns before what is said.
const INDENT: usize = 8;
/// On a terminal, between two lines of a conversation: as fast as one can follow.
const PACE: Duration = Duration::from_millis(250);

/// Standard output.
pub(super) struct Screen {
    colours: bool,
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

impl Screen {
    pub(super) fn new() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let watched = io::stdout().is_terminal();
        Self { colours: wanted && watched, paced: watched }
    }

    /// A line of somebody's.
    pub(super) fn line(&self, name: &str, mark: Mark, words: &str) -> io::Result<()> {
        let (sign, colour) = match mark {
            Mark::Call => (">", "36"),
            Mark::Answer => ("<", "2"),
            Mark::Notified => ("*", "33"),
        };
        let head = format!("{name:<5} {sign} ");
        for (index, piece) in wrap(words, COLUMNS - INDENT).into_iter().enumerate() {
            let head = if index == 0 { head.as_str() } else { "        " };
            self.write(&format!("{head}{}", self.paint(colour, &piece)))?;
        }
        if self.paced {
            sleep(PACE);
        }
        Ok(())
    }

    /// A paragraph.
    pub(super) fn say(&self, words: &str) -> io::Result<()> {
        for piece in wrap(words, COLUMNS) {
            self.write(&piece)?;
        }
        Ok(())
    }

    /// A heading.
    pub(super) fn head(&self, words: &str) -> io::Result<()> {
        self.write(&self.paint("1", words))
    }

    /// A line as it is: to be copied.
    pub(super) fn copy(&self, line: &str) -> io::Result<()> {
        self.write(&format!("  {line}"))
    }

    /// A blank line.
    pub(super) fn blank(&self) -> io::Result<()> {
        self.write("")
    }

    fn paint(&self, colour: &str, words: &str) -> String {
        if self.colours { format!("\x1b[{colour}m{words}\x1b[0m") } else { words.to_owned() }
    }

    fn write(&self, line: &str) -> io::Result<()> {
        writeln!(io::stdout().lock(), "{line}")
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
mod tests {
    use super::wrap;

    #[test]
    fn long_lines_are_cut_at_spaces_and_lose_controls() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("a\x1b[31mb", 7), ["a[31mb"]);
        assert_eq!(wrap("", 7), [""]);
    }
}
