//! What outcomes, causes and doubts are called in reports and in the rule catalogue.

use super::{Cause, Doubt, LibraryProblem, Outcome};

impl Outcome {
    /// `runs`, `emulated`, `fails`, `dies` or `unsure`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Runs => "runs",
            Self::Emulated { .. } => "emulated",
            Self::Refused { .. } | Self::Fails { .. } => "fails",
            Self::Dies { .. } | Self::Exits { .. } => "dies",
            Self::Unsure { .. } => "unsure",
        }
    }

    /// Why it goes badly, if it does.
    pub fn cause(&self) -> Option<&Cause> {
        match self {
            Self::Refused { cause } | Self::Fails { cause, .. } | Self::Dies { cause, .. } | Self::Exits { cause, .. } => {
                Some(cause)
            }
            Self::Runs | Self::Emulated { .. } | Self::Unsure { .. } => None,
        }
    }
}

impl Cause {
    /// What reports and rules call it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NoCommand => "no-command",
            Self::NoSuchUser(_) => "no-such-user",
            Self::NoSuchGroup(_) => "no-such-group",
            Self::WorkingDirectory(_) => "working-directory",
            Self::NotInPath { .. } => "not-in-path",
            Self::Missing => "missing",
            Self::DanglingLink(_) => "dangling-link",
            Self::NotADirectory => "not-a-directory",
            Self::IsDirectory => "is-directory",
            Self::NotAFile => "not-a-file",
            Self::NotExecutable { .. } => "not-executable",
            Self::NotReadable { .. } => "not-readable",
            Self::Library(fault) => match fault.why {
                LibraryProblem::Missing => "library-missing",
                LibraryProblem::WrongMachine { .. } => "library-wrong-machine",
                LibraryProblem::OtherAbi { .. } => "library-other-abi",
                LibraryProblem::Broken { .. } => "library-broken",
                LibraryProblem::Versions { .. } => "library-version",
            },
            Self::Cpu(_) => "cpu",
            Self::Kernel(_) => "kernel-too-old",
            Self::ProgramMissing { .. } => "program-missing",
            Self::NoexecMount => "noexec-mount",
            Self::SearchDenied => "search-denied",
            Self::LinkLoop => "link-loop",
            Self::NameTooLong => "name-too-long",
            Self::WrongMachine { .. } => "wrong-machine",
            Self::NoCompat { .. } => "no-compat",
            Self::NotAProgram(_) => "not-a-program",
            Self::Truncated { .. } => "truncated",
            Self::PageSize { .. } => "page-size",
            Self::MalformedElf(_) => "malformed-elf",
            Self::EmptyFile => "empty-file",
            Self::NoShebang(_) => "no-shebang",
            Self::BadShebang => "bad-shebang",
            Self::MachO { .. } => "mach-o",
            Self::Pe { .. } => "pe",
            Self::Wasm => "wasm",
            Self::JavaClass => "java-class",
            Self::Bitcode => "bitcode",
            Self::Archive(_) => "archive",
            Self::GitLfsPointer => "git-lfs-pointer",
            Self::Html => "html",
            Self::UnknownFormat => "unknown-format",
            Self::CarriageReturn { .. } => "carriage-return",
            Self::InterpreterMissing => "interpreter-missing",
            Self::LoaderMissing { .. } => "loader-missing",
            Self::LoaderWrongMachine { .. } => "loader-wrong-machine",
            Self::LoaderBroken => "loader-broken",
            Self::LoaderOtherAbi(_) => "loader-other-abi",
            Self::InterpreterLoop => "interpreter-loop",
            Self::EmulatorMissing { .. } => "emulator-missing",
        }
    }
}

impl Doubt {
    /// What reports call it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::LayerUnread => "layer-unread",
            Self::Truncated { .. } => "truncated",
            Self::Script(_) => "script",
            Self::OnlyFile => "only-file",
            Self::NoConfig => "no-config",
            Self::NotModelled(_) => "not-modelled",
            Self::Node { .. } => "node-unsure",
        }
    }
}
