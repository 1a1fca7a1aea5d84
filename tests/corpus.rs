//! Every input that a fuzzer found worth keeping, once more: what once broke something stays mended. `fuzz/README.md` says how more
//! are found.

use std::fs;
use std::path::Path;

#[path = "../fuzz/src/lib.rs"]
mod targets;

#[test]
fn no_kept_input_breaks_anything() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let mut count = 0;
    for folder in fs::read_dir(corpus).unwrap().map(|folder| folder.unwrap().path()) {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let target = targets::target(&name).unwrap_or_else(|| panic!("no target is called {name}"));
        for input in fs::read_dir(&folder).unwrap().map(|input| input.unwrap().path()) {
            let bytes = fs::read(&input).unwrap();
            if std::panic::catch_unwind(|| target(&bytes)).is_err() {
                panic!("{} breaks {name}", input.display());
            }
            count += 1;
        }
    }
    assert!(count > 1000, "{count} inputs are not the corpus");
}
