use super::instructions;

#[test]
fn they_stay_under_two_kilobytes() {
    for pushed in [false, true] {
        let length = instructions(pushed).len();
        assert!(length < 2_048, "{length} bytes");
    }
}
