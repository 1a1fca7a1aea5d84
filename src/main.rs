//! The thin binary over the library.

fn main() -> std::process::ExitCode {
    enoexec::app::main()
}
