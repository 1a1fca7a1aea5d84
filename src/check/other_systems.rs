//! Programs and libraries of macOS and Windows that lie where Linux looks for its own.

use std::collections::BTreeSet;
use std::ops::Bound;

use crate::base::{GuestPath, Platform};
use crate::finding::Finding;
use crate::format::content::Content;
use crate::image::{EntryKind, Found, Rootfs};
use crate::node::{Code, native_code};

use super::Case;
use super::contents::{bystander, elf};
use super::data::{Unloadable, exemption, runtime};

/// How names of files and directories call other systems. `win` comes after `darwin`, which has it in it.
const SYSTEMS: [&[u8]; 5] = [b"darwin", b"macos", b"osx", b"windows", b"win"];

/// Native libraries with names that begin alike, which are looked at.
const MOST_ALIKE: usize = 1000;

/// Judges what is on PATH and what a language's runtime loads. What belongs to a bundle that has a part for Linux too is data.
pub(super) fn judge_other_systems<'a>(
    case: &'a Case<'_>,
    platform: &'a Platform,
    on_path: &'a BTreeSet<GuestPath>,
) -> impl Iterator<Item = Finding> + 'a {
    let others: Vec<(Found<'_>, &str)> =
        case.rootfs.iter().filter_map(|found| system(&found).map(|system| (found, system))).collect();
    let natives = if others.is_empty() { BTreeSet::new() } else { native_libraries(case.rootfs, platform) };
    others.into_iter().filter_map(move |(found, system)| judge(case, platform, on_path, &natives, &found, system))
}

fn content<'a>(found: &Found<'a>) -> Option<&'a Content> {
    match &found.entry.kind {
        EntryKind::File { facts, .. } => Some(&facts.content),
        _ => None,
    }
}

fn system(found: &Found<'_>) -> Option<&'static str> {
    match content(found)? {
        Content::MachO(_) => Some("macOS"),
        Content::Pe(_) => Some("Windows"),
        _ => None,
    }
}

/// The libraries for `platform` that languages' runtimes load.
fn native_libraries(rootfs: &Rootfs, platform: &Platform) -> BTreeSet<GuestPath> {
    let native = native_code(platform);
    let is_native = |found: &Found<'_>| native.is_some() && elf(found).and_then(Code::of) == native;
    rootfs.iter().filter(|found| is_native(found) && runtime(&found.path).is_some()).map(|found| found.path).collect()
}

fn judge(
    case: &Case<'_>,
    platform: &Platform,
    on_path: &BTreeSet<GuestPath>,
    natives: &BTreeSet<GuestPath>,
    found: &Found<'_>,
    system: &str,
) -> Option<Finding> {
    let path = &found.path;
    if exemption(path).is_some() {
        return None;
    }
    let language = runtime(path);
    let (rule, message) = if let Some(language) = language {
        if has_native_part(path, natives) {
            return None;
        }
        ("foreign-library", format!("{path} is a {language} library for {system}, but the image is for {platform}"))
    } else if on_path.contains(path) && found.entry.mode & 0o111 != 0 && !path.as_bytes().ends_with(b".exe") {
        ("foreign-executable", format!("{path} is on PATH and built for {system}, but the image is for {platform}"))
    } else {
        return None;
    };
    let is_tagged = path.name().windows(7).any(|part| part == b"-darwin");
    let fix = match language {
        Some(_) => "install it in the Dockerfile, and keep the host's own out of the build with .dockerignore".to_owned(),
        None => format!("download or build it for {platform}: `docker buildx build --platform {platform} .`"),
    };
    bystander(case, rule, found, message, Unloadable { is_elf: false, is_tagged }, fix)
}

/// Whether what the file belongs to has a native library too: the same module, the same package of npm, or what lies beside it
/// under a name that says Linux where this one says another system.
fn has_native_part(path: &GuestPath, natives: &BTreeSet<GuestPath>) -> bool {
    let alike = |start: &[u8]| {
        let from = (Bound::Included(start), Bound::Unbounded);
        let paths = natives.range::<[u8], _>(from).map(GuestPath::as_bytes).take(MOST_ALIKE);
        paths.map_while(|path| path.strip_prefix(start).map(<[u8]>::to_vec)).collect::<Vec<_>>()
    };
    let (mut before, mut is_package) = (Vec::new(), false);
    for component in path.components() {
        before.push(b'/');
        let system = SYSTEMS.iter().find_map(|word| component.windows(word.len()).position(|part| part == *word));
        let stem = system.and_then(|at| component.get(..at)).unwrap_or_default();
        if system.is_some() && alike(&[&before, stem].concat()).iter().any(|rest| rest.starts_with(b"linux")) {
            return true;
        }
        before.extend_from_slice(component);
        is_package = match component {
            b"node_modules" => true,
            [b'@', ..] => is_package,
            _ if is_package && !alike(&[&before, &b"/"[..]].concat()).is_empty() => return true,
            _ => false,
        };
    }
    let module = path.name().split(|byte| *byte == b'.').next().unwrap_or_default();
    let folder = path.parent().unwrap_or_else(GuestPath::root);
    !alike(&[folder.join(module).as_bytes(), b"."].concat()).is_empty()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::has_native_part;
    use crate::base::GuestPath;

    fn has_part(path: &str, natives: &[&str]) -> bool {
        has_native_part(&path.into(), &natives.iter().map(GuestPath::new).collect::<BTreeSet<_>>())
    }

    #[test]
    fn a_bundle_with_a_part_for_linux_is_data() {
        let sharp = "/srv/node_modules/@img/sharp-darwin-arm64/lib/sharp-darwin-arm64.node";
        assert!(has_part(sharp, &["/srv/node_modules/@img/sharp-linux-x64/lib/sharp-linux-x64.node"]));
        assert!(!has_part(sharp, &["/srv/node_modules/@img/other-linux-x64/lib/other-linux-x64.node"]));
        assert!(!has_part(sharp, &[]));
        let prebuilt = "/srv/node_modules/node-pty/prebuilds/win32-x64/pty.node";
        assert!(has_part(prebuilt, &["/srv/node_modules/node-pty/build/Release/pty.node"]));
        assert!(!has_part(prebuilt, &["/srv/node_modules/node-pty-fork/build/Release/pty.node"]));
        let module = "/v/site-packages/m/_speed.cpython-311-darwin.so";
        assert!(has_part(module, &["/v/site-packages/m/_speed.cpython-311-x86_64-linux-gnu.so"]));
        assert!(!has_part(module, &["/v/site-packages/m/_speedy.cpython-311-x86_64-linux-gnu.so"]));
    }
}
