//! What a dynamic loader says of itself.

use memchr::memmem;

/// A dynamic loader, told by its own texts.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LoaderFacts {
    /// Whose it is.
    pub family: LoaderFamily,
    /// Its version, `2.36`; `None` where it does not say.
    pub version: Option<(u16, u16)>,
    /// What it prints on a CPU that is older than the one it was built for; `None` where it was built for any.
    pub baseline: Option<String>,
    /// Whether it refuses kernels that are older than those that it was built for, as glibc before 2.36 does.
    pub refuses_old_kernels: bool,
    /// Whether it passes over Arm libraries of the other float ABI, as Debian's and Ubuntu's does, rather than to give up.
    pub passes_over_float_abis: bool,
    /// Where it looks for libraries at last, in order, without the slash at the end.
    pub directories: Vec<Box<[u8]>>,
}

/// The C library that a loader belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum LoaderFamily {
    /// GNU's.
    Glibc,
    /// musl, whose loader is the C library too.
    Musl,
}

/// Longest list of directories that is believed.
const MOST_DIRECTORIES: usize = 16;

impl LoaderFacts {
    /// What glibc says on a kernel that is too old (`sysdeps/unix/sysv/linux/dl-osinfo.h` before 2.36).
    pub(super) const REFUSAL: &[u8] = b"FATAL: kernel too old";

    /// Reads a loader's bytes; `None` for other files.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        if memmem::find(bytes, b"glibc-ld.so.cache").is_some() {
            let directories = system_directories(bytes)?;
            let version = version(bytes, b"release version ");
            let has = |text: &[u8]| memmem::find(bytes, text).is_some();
            let refuses_old_kernels = has(Self::REFUSAL);
            // A patch of theirs. Before 2.33 a loader does not say whose it is; almost all for Arm were theirs then.
            let passes_over_float_abis = version.is_none() || has(b"(Debian GLIBC ") || has(b"(Ubuntu GLIBC ");
            return Some(Self {
                family: LoaderFamily::Glibc,
                version,
                baseline: baseline(bytes),
                refuses_old_kernels,
                passes_over_float_abis,
                directories,
            });
        }
        memmem::find(bytes, b"musl libc")?;
        let directories = [&b"/lib"[..], b"/usr/local/lib", b"/usr/lib"].map(Into::into).to_vec();
        // Its texts are `Version %s` and the number.
        Some(Self {
            family: LoaderFamily::Musl,
            version: None,
            baseline: None,
            refuses_old_kernels: false,
            passes_over_float_abis: false,
            directories,
        })
    }
}

/// glibc's `system_dirs` (`elf/dl-load.c`): the longest run of texts that begin and end with a slash. There are two copies, and
/// the first may stand right behind code.
fn system_directories(bytes: &[u8]) -> Option<Vec<Box<[u8]>>> {
    let is_directory =
        |text: &[u8]| text.len() < 256 && text.starts_with(b"/") && text.ends_with(b"/") && memmem::find(text, b"/lib").is_some();
    let mut longest = Vec::new();
    let mut run = Vec::new();
    for text in bytes.split(|byte| *byte == 0) {
        if is_directory(text) && run.len() < MOST_DIRECTORIES {
            run.push(Box::from(text.strip_suffix(b"/").unwrap_or(text)));
        } else if run.len() > longest.len() {
            longest = std::mem::take(&mut run);
        } else {
            run.clear();
        }
    }
    Some(longest).filter(|longest| !longest.is_empty())
}

/// The last of its complaints about the CPU, which is about the newest: they come in the order of the levels.
fn baseline(bytes: &[u8]) -> Option<String> {
    let at = memmem::rfind(bytes, b"Fatal glibc error: CPU ")?;
    let text = bytes.get(at..)?.split(|byte| matches!(byte, 0 | b'\n')).next()?;
    Some(String::from_utf8_lossy(text).into_owned()).filter(|text| text.len() < 200)
}

fn version(bytes: &[u8], before: &[u8]) -> Option<(u16, u16)> {
    let at = memmem::find(bytes, before)?.checked_add(before.len())?;
    let text: String = bytes
        .get(at..)?
        .iter()
        .take(12)
        .take_while(|byte| matches!(byte, b'0'..=b'9' | b'.'))
        .map(|byte| char::from(*byte))
        .collect();
    let mut numbers = text.split('.').map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}
