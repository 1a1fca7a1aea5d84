//! Symbol versions: which a file needs of which library, and which it defines (LSB, "Symbol Versioning").

use super::Version;
use super::capture::Window;
use super::header::Layout;

/// Real files need or define a few hundred at most; libc.so.6 defines about 50.
const MAX_VERSIONS: usize = 4096;
/// `VER_FLG_WEAK`.
const WEAK: u64 = 2;
/// `VER_FLG_BASE`: the name of the library itself, which is no version.
const BASE: u64 = 1;

/// The strings of a version section, as offsets into the string table.
pub(super) struct Strings<'a>(pub(super) &'a dyn Fn(u64) -> Option<Box<[u8]>>);

/// `Elf64_Verneed` with its `Elf64_Vernaux`, which are alike in both classes. `None` where the section is not whole.
pub(super) fn needs(layout: Layout, section: &Window, count: u64, strings: &Strings<'_>) -> Option<Vec<Version>> {
    let bytes = section.bytes();
    let mut versions = Vec::new();
    let mut at = 0_usize;
    for _ in 0..count {
        let [entries, file, first, next] = fields(layout, bytes, at, [(2, 2), (4, 4), (8, 4), (12, 4)])?;
        let file = (strings.0)(file)?;
        let mut place = at.checked_add(usize::try_from(first).ok()?)?;
        for _ in 0..entries {
            let [flags, name, next] = fields(layout, bytes, place, [(4, 2), (8, 4), (12, 4)])?;
            versions.push(Version { file: file.clone(), name: (strings.0)(name)?, weak: flags & WEAK != 0 });
            place = place.checked_add(usize::try_from(next).ok()?)?;
            if versions.len() >= MAX_VERSIONS {
                return None;
            }
        }
        at = at.checked_add(usize::try_from(next).ok()?)?;
        if next == 0 {
            break;
        }
    }
    Some(versions)
}

/// The names in `Elf64_Verdef`. `None` where the section is not whole.
pub(super) fn definitions(layout: Layout, section: &Window, count: u64, strings: &Strings<'_>) -> Option<Vec<Box<[u8]>>> {
    let bytes = section.bytes();
    let mut names = Vec::new();
    let mut at = 0_usize;
    for _ in 0..count.min(MAX_VERSIONS as u64) {
        let [flags, first, next] = fields(layout, bytes, at, [(2, 2), (12, 4), (16, 4)])?;
        let [name] = fields(layout, bytes, at.checked_add(usize::try_from(first).ok()?)?, [(0, 4)])?;
        if flags & BASE == 0 {
            names.push((strings.0)(name)?);
        }
        at = at.checked_add(usize::try_from(next).ok()?)?;
        if next == 0 {
            break;
        }
    }
    Some(names)
}

/// Numbers at places relative to `at`, each with its width.
fn fields<const N: usize>(layout: Layout, bytes: &[u8], at: usize, places: [(usize, usize); N]) -> Option<[u64; N]> {
    let mut values = [0; N];
    for (value, (place, width)) in values.iter_mut().zip(places) {
        *value = layout.number(bytes, at.checked_add(place)?, width)?;
    }
    Some(values)
}
