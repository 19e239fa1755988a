//! What cleaning costs: texts as they are, and the worst that fits into what is taken at all.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use shared::{limits::MESSAGE_RAW_BYTES, text::clean};

fn ordinary(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ordinary");
    for (name, piece) in [
        ("ASCII, 200 bytes", "The quick brown fox jumps over the lazy dog; "),
        ("Chinese, 200 bytes", "你好，世界！今天天气怎么样？"),
        ("Persian, 200 bytes", "می‌خواهم کتاب‌هایم را بخوانم؛ "),
        ("Hindi, 200 bytes", "नमस्ते! आप कैसे हैं? "),
        ("emoji, 200 bytes", "👨‍👩‍👧‍👦 🏴󠁧󠁢󠁳󠁣󠁴󠁿 👍🏽 1️⃣ "),
    ] {
        measure(&mut group, name, &filled(piece, 200));
    }
    let longest = filled("The quick brown fox jumps over the lazy dog; ", MESSAGE_RAW_BYTES);
    measure(&mut group, "ASCII, 32 KiB", &longest);
}

fn worst(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("worst, 32 KiB");
    let settling = format!("\u{915}\u{301}\u{34f}{}", "\u{94d}\u{200d}".repeat(8));
    for (name, piece) in [
        ("marks", "\u{301}"),
        ("marks out of order", "\u{301}\u{323}\u{338}"),
        ("joiners", "\u{200d}"),
        ("non-joiners", "\u{200c}"),
        (
            "non-joiners far from letters",
            "\u{628}\u{64e}\u{64e}\u{64e}\u{64e}\u{64e}\u{64e}\u{64e}\u{200c}",
        ),
        (
            "glue far from emoji",
            "\u{1f468}\u{fe0f}\u{1f3fd}\u{1f3fd}\u{1f3fd}\u{1f3fd}\u{1f3fd}\u{1f3fd}\u{200d}",
        ),
        ("viramas lost to normalisation", &*settling),
        ("zero width spaces", "\u{200b}"),
        ("direction marks", "\u{200e}"),
        ("overrides", "\u{202e}"),
        ("escapes", "\u{1b}"),
        ("control sequences", "\u{1b}[1m"),
        ("control sequences without an end", "\u{1b}["),
        ("control sequences without an end, with parameters", "\u{1b}[0;0;0;0;0;0;0;0"),
        ("control sequences in each other", "\u{1b}[\u{1b}[31m31m"),
        ("control strings", "\u{1b}]0;\u{1b}P"),
        ("tags", "\u{e0061}"),
        ("flags", "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}"),
        ("flags without an end", "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}"),
        ("selectors", "\u{fe0f}"),
        ("private use", "\u{e000}"),
        ("noncharacters", "\u{ffff}"),
        ("carriage returns", "\r"),
        ("growth by normalisation", "\u{1d160}"),
        ("Hangul to compose", "\u{1112}\u{1161}\u{11ab}"),
        (
            "everything",
            "e\u{301}\u{1b}[1m\u{200d}\u{e0061}\u{202e}\u{915}\u{94d}\u{200d}\u{628}\u{200c}\u{628}",
        ),
    ] {
        measure(&mut group, name, &filled(piece, MESSAGE_RAW_BYTES));
    }
    let parameters = format!("\u{1b}[{}", "0".repeat(MESSAGE_RAW_BYTES - 2));
    measure(&mut group, "one control sequence of parameters", &parameters);
}

type Group<'a> = criterion::BenchmarkGroup<'a, criterion::measurement::WallTime>;

fn measure(group: &mut Group<'_>, name: &str, text: &str) {
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function(name, |bencher| bencher.iter(|| clean(black_box(text))));
}

/// As many whole pieces as fit.
fn filled(piece: &str, bytes: usize) -> String {
    piece.repeat(bytes / piece.len())
}

criterion_group!(benches, ordinary, worst);
criterion_main!(benches);
