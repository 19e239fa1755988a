use super::wrap;

#[test]
fn long_lines_are_cut_at_spaces_and_lose_controls() {
    assert_eq!(wrap("one two three", 7), ["one two", "three"]);
    assert_eq!(wrap("a\x1b[31mb", 7), ["a[31mb"]);
    assert_eq!(wrap("", 7), [""]);
}
