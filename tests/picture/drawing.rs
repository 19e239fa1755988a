//! Two windows side by side, time going down in both.

use std::fmt::Write as _;

use crate::transcript::{Kind, Line};

const WIDTH: u32 = 800;
const GAP: u32 = 12;
const WINDOW: u32 = (WIDTH - GAP) / 2 - 1;
const BAR: u32 = 46;
const MARGIN: u32 = 14;
/// Between two things that happen.
const SPACE: u32 = 8;
const LABEL: u32 = 16;
const TEXT: u32 = 18;
const PADDING: u32 = 9;
/// Characters of a line in a bubble.
const COLUMNS: usize = 38;
/// The same of what stands outside of one.
const LABEL_COLUMNS: usize = 52;
/// Wider than most letters are, so that no font leaves its bubble.
const LETTER: u32 = 7;

const STYLE: &str = "\
text{font:13px -apple-system,'Segoe UI',Helvetica,Arial,sans-serif;fill:#1f2328}
.code{font:11.5px ui-monospace,SFMono-Regular,Menlo,'DejaVu Sans Mono',monospace;fill:#59636e}
.news{fill:#8250df}.name{font-weight:600;font-size:14px}.note{font-size:11.5px;fill:#59636e}
.window{fill:#fff;stroke:#d1d9e0}.bar{fill:#f6f8fa}.rule{stroke:#d1d9e0}
.mine{fill:#0969da}.said{fill:#fff}.theirs{fill:#e8ecf1}.face{fill:#0969da}
@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.code,.note{fill:#9198a1}.news{fill:#ab7df8}
.window{fill:#0d1117;stroke:#3d444d}.bar{fill:#151b23}.rule{stroke:#3d444d}
.mine{fill:#1f6feb}.said{fill:#fff}.theirs{fill:#2a313c}.face{fill:#1f6feb}}";

struct Window {
    name: String,
    left: u32,
    /// Where the next thing can stand.
    bottom: u32,
    drawn: String,
}

/// The picture of a conversation between two.
pub(crate) fn draw(lines: &[Line]) -> String {
    let mut windows: Vec<Window> = Vec::new();
    let mut now = BAR + MARGIN;
    for line in lines {
        let index = windows.iter().position(|window| window.name == line.name);
        let index = index.unwrap_or_else(|| {
            let left = if windows.is_empty() { 1 } else { 1 + WINDOW + GAP };
            let name = line.name.clone();
            windows.push(Window { name, left, bottom: now, drawn: String::new() });
            windows.len() - 1
        });
        let window = &mut windows[index];
        // Nothing stands above what happened before.
        let top = now.max(window.bottom);
        if window.add(&line.kind, ["A", "B"][index], top) {
            now = top;
        }
    }
    let bottom = windows.iter().map(|window| window.bottom).max().unwrap() + MARGIN - SPACE;
    let names: Vec<_> = windows.iter().map(|window| window.name.as_str()).collect();
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {}\" width=\"{WIDTH}\" \
         role=\"img\">\n<title>{} talk through mcp-chat</title>\n<style>\n{STYLE}\n</style>\n",
        bottom + 2,
        names.join(" and ")
    );
    for Window { left, drawn, .. } in windows {
        let (right, height) = (left + WINDOW, bottom - 1);
        let (inner, low) = (WINDOW - 20, BAR + 1);
        write!(
            svg,
            "<rect class=\"window\" x=\"{left}\" y=\"1\" width=\"{WINDOW}\" height=\"{height}\" rx=\"10\"/>\n\
             <path class=\"bar\" d=\"M{} {low}V11q0-9.5 9.5-9.5h{inner}q9.5 0 9.5 9.5V{low}z\"/>\n\
             <path class=\"rule\" d=\"M{left} {low}H{right}\"/>\n{drawn}",
            f64::from(left) + 0.5
        )
        .unwrap();
    }
    svg + "</svg>\n"
}

impl Window {
    /// Whether it took a place in time.
    fn add(&mut self, kind: &Kind, letter: &str, top: u32) -> bool {
        match kind {
            Kind::Connected(version) => self.title(letter, version),
            Kind::Call(call) => self.label("code", &format!("→ {call}"), top),
            Kind::Answer(answer) => self.label("code", &format!("← {answer}"), top),
            Kind::Notified(news) => self.label("code news", &format!("● {news}"), top),
            Kind::Sent(message) => {
                self.bubble("→ send_message", "code", message, true, top);
            }
            Kind::Received { from, message } => {
                let label = format!("● message.received from {from}");
                self.bubble(&label, "code news", message, false, top);
            }
            Kind::Delivered => {
                let (right, base) = (self.left + WINDOW - MARGIN, self.bottom + 6);
                self.text(right, base, "note", "end", "delivered ✓");
                self.bottom = base + SPACE + 2;
            }
        }
        !matches!(kind, Kind::Connected(_) | Kind::Delivered)
    }

    fn title(&mut self, letter: &str, version: &str) {
        let (name, left) = (self.name.clone(), self.left);
        let face = left + MARGIN + 14;
        writeln!(self.drawn, "<circle class=\"face\" cx=\"{face}\" cy=\"24\" r=\"14\"/>").unwrap();
        self.text(face, 29, "name said", "middle", &name[..1]);
        self.text(face + 24, 21, "name", "start", &name);
        let note = format!("MCP client {letter}, speaks MCP {version}");
        self.text(face + 24, 37, "note", "start", &note);
    }

    fn label(&mut self, class: &str, words: &str, top: u32) {
        assert!(words.chars().count() <= LABEL_COLUMNS, "too long for the picture: {words}");
        self.text(self.left + MARGIN, top + 12, class, "start", words);
        self.bottom = top + LABEL + SPACE;
    }

    fn bubble(&mut self, label: &str, class: &str, message: &str, mine: bool, top: u32) {
        let lines = wrap(message);
        let longest = lines.iter().map(|line| line.chars().count()).max().unwrap();
        let width = u32::try_from(longest).unwrap() * LETTER + 2 * PADDING;
        let height = u32::try_from(lines.len()).unwrap() * TEXT + 2 * PADDING - 3;
        let (left, right) = (self.left + MARGIN, self.left + WINDOW - MARGIN);
        let (x, anchor, at) =
            if mine { (right - width, "end", right) } else { (left, "start", left) };
        self.text(at, top + 12, class, anchor, label);
        let y = top + LABEL + 3;
        let side = if mine { "mine" } else { "theirs" };
        writeln!(
            self.drawn,
            "<rect class=\"{side}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"10\"/>"
        )
        .unwrap();
        for (index, line) in (0..).zip(&lines) {
            let base = y + PADDING + 12 + index * TEXT;
            self.text(x + PADDING, base, if mine { "said" } else { "heard" }, "start", line);
        }
        self.bottom = y + height + SPACE + 2;
    }

    fn text(&mut self, x: u32, y: u32, class: &str, anchor: &str, words: &str) {
        let words = words.replace('&', "&amp;").replace('<', "&lt;");
        writeln!(
            self.drawn,
            "<text class=\"{class}\" x=\"{x}\" y=\"{y}\" text-anchor=\"{anchor}\">{words}</text>"
        )
        .unwrap();
    }
}

/// Cuts at spaces.
fn wrap(message: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in message.split(' ') {
        let line = lines.last_mut().unwrap();
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() > COLUMNS {
            lines.push(word.to_owned());
        } else {
            line.push(' ');
            line.push_str(word);
        }
    }
    lines
}
