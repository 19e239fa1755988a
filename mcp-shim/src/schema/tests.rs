use super::*;

#[test]
fn descriptions_together_stay_under_two_kilobytes() {
    let bytes: usize =
        tools().iter().filter_map(|tool| Some(tool.description.as_ref()?.len())).sum();
    assert!(bytes < 2_048, "{bytes} bytes");
}

#[test]
fn every_tool_is_known_to_the_parser() {
    for tool in tools() {
        assert!(crate::tools::parse(&tool.name, JsonObject::new()).is_some(), "{}", tool.name);
    }
    assert!(crate::tools::parse("exit", JsonObject::new()).is_none());
}
