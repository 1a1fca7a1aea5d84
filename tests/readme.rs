//! Every console block of the README is run, and prints what the README says.

#[test]
fn the_readme_tells_the_truth() {
    trycmd::TestCases::new().case("README.md");
}
