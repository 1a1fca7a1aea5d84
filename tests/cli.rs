//! What the command line prints, word for word. `TRYCMD=overwrite cargo test --test cli` writes it anew.

#[test]
fn the_command_line_prints_what_it_promises() {
    trycmd::TestCases::new().case("tests/cli/*.trycmd");
}
