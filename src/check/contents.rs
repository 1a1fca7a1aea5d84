//! Findings of the files that are not started first: programs on PATH, libraries that runtimes and loaders open.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{GuestPath, Platform, escape};
use crate::exec::{self, DEFAULT_PATH, Launch, Libc};
use crate::finding::{Confidence, Finding, GuestLocus};
use crate::format::content::Content;
use crate::format::elf::{Elf, ElfKind, Use};
use crate::image::{Credentials, EntryKind, Found, Rootfs};

use super::data::{Unloadable, exemption, raised, runtime};
use super::other_systems::judge_other_systems;
use super::{Case, finding, php};
use crate::node::{Code, aliases, all_aliases, native_code, sibling_code};

/// More findings than this of one kind say nothing new; the rest are counted.
const MOST: usize = 20;

/// The programs and libraries of an image, held against one platform.
#[derive(Default)]
struct Census<'a> {
    native: usize,
    /// Of the platform's 32-bit sibling.
    sibling: usize,
    foreign: Vec<(Found<'a>, Code)>,
    /// Names that native files ask the loader for.
    needed: BTreeSet<&'a [u8]>,
    /// Names under which native libraries lie.
    provided: BTreeSet<Vec<u8>>,
}

/// The platform that an image's files are for, told by the machines of its programs, where neither index nor config says.
/// Nothing where two machines have as many.
pub fn infer_platform(rootfs: &Rootfs) -> Option<Platform> {
    let mut counts: BTreeMap<Code, usize> = BTreeMap::new();
    for found in rootfs.iter() {
        let program = elf(&found).filter(|elf| matches!(elf.kind, ElfKind::Executable | ElfKind::StaticPie));
        if let Some(code) = program.and_then(Code::of) {
            let count = counts.entry(code).or_default();
            *count = count.saturating_add(1);
        }
    }
    let most = counts.values().max().copied()?;
    let mut leaders = counts.iter().filter(|(_, count)| **count == most);
    let (leader, _) = leaders.next()?;
    if leaders.next().is_some() { None } else { leader.platform() }
}

/// Judges the files other than those on the way of the start, which `starts` has judged.
pub(super) fn judge_contents(case: &Case<'_>, starts: &[Finding]) -> Vec<Finding> {
    let Some(platform) = case.image.platform().cloned().or_else(|| infer_platform(case.rootfs)) else { return Vec::new() };
    if platform.normalised().os != "linux" {
        return Vec::new();
    }
    let Some(census) = Census::take(case.rootfs, &platform) else { return Vec::new() };
    let known: Vec<&GuestPath> = starts.iter().filter_map(path_of).collect();
    if census.is_of_another_machine() {
        let explained = census.foreign.iter().all(|(found, _)| known.contains(&&found.path));
        return if explained { Vec::new() } else { mismatch(case, &census, &platform).into_iter().collect() };
    }
    let on_path = programs_on_path(case);
    let machines = census.foreign.iter().filter_map(|(found, code)| judge_file(case, &census, &platform, &on_path, found, *code));
    let found = machines.chain(judge_other_systems(case, &platform, &on_path));
    let unknown = found.filter(|found| path_of(found).is_none_or(|path| !known.contains(&path)));
    unknown.take(MOST).chain(sibling(case, &census, &platform)).collect()
}

fn path_of(finding: &Finding) -> Option<&GuestPath> {
    finding.locus.guest()?.path.as_ref()
}

pub(super) fn elf<'a>(found: &Found<'a>) -> Option<&'a Elf> {
    match &found.entry.kind {
        EntryKind::File { facts, .. } => match &facts.content {
            Content::Elf(elf) => Some(elf),
            _ => None,
        },
        _ => None,
    }
}

impl<'a> Census<'a> {
    fn take(rootfs: &'a Rootfs, platform: &Platform) -> Option<Self> {
        let native = native_code(platform)?;
        let sibling = sibling_code(platform);
        let mut census = Self::default();
        for found in rootfs.iter() {
            let Some((elf, code)) = elf(&found).and_then(|elf| Some((elf, Code::of(elf)?))) else { continue };
            let meant_to_run = matches!(elf.kind, ElfKind::Executable | ElfKind::StaticPie | ElfKind::SharedLibrary);
            let for_a_device = elf.machine.info().is_none_or(|info| info.purpose == Use::Device);
            if code == native {
                census.count_native(&found, elf);
            } else if !meant_to_run || for_a_device || exemption(&found.path).is_some() {
                // Data, whatever machine it is for.
            } else if sibling == Some(code) || is_x32(platform, code, elf) {
                census.sibling = census.sibling.saturating_add(1);
            } else if !has_native_twin(rootfs, &found.path, platform) {
                census.foreign.push((found, code));
            }
        }
        Some(census)
    }

    fn count_native(&mut self, found: &Found<'a>, elf: &'a Elf) {
        if matches!(elf.kind, ElfKind::Executable | ElfKind::StaticPie | ElfKind::SharedLibrary) {
            self.native = self.native.saturating_add(1);
        }
        let dynamic = elf.dynamic.iter();
        self.needed.extend(dynamic.clone().flat_map(|dynamic| dynamic.needed.iter().map(AsRef::as_ref)));
        self.provided.extend(dynamic.filter_map(|dynamic| dynamic.soname.as_ref()).map(|name| name.to_vec()));
        self.provided.insert(found.path.name().to_vec());
    }

    /// Nearly all of it: the label is wrong, or the whole build was.
    fn is_of_another_machine(&self) -> bool {
        let foreign = self.foreign.len();
        foreign > 0 && self.native.saturating_add(self.sibling).saturating_mul(10) <= foreign
    }
}

/// x32 programs run on amd64 and have its `e_machine` with 32-bit headers.
fn is_x32(platform: &Platform, code: Code, elf: &Elf) -> bool {
    elf.machine.0 == 62 && code.bits == 32 && platform.normalised().architecture == "amd64"
}

/// Whether the file belongs to a bundle for several platforms that has this platform's part too: some component of its path
/// names another architecture, and the same name with this one's lies beside it.
fn has_native_twin(rootfs: &Rootfs, path: &GuestPath, platform: &Platform) -> bool {
    let mut place = Some(path.clone());
    while let Some(here) = place {
        let name = here.name().to_vec();
        let parent = here.parent();
        if let (Some(parent), Ok(name)) = (&parent, std::str::from_utf8(&name))
            && twins(name, platform).iter().any(|twin| rootfs.get(&parent.join(twin)).is_some())
        {
            return true;
        }
        place = parent.filter(|parent| !parent.is_root());
    }
    false
}

/// `name` with the architecture in it replaced by each of the names of `platform`'s.
fn twins(name: &str, platform: &Platform) -> Vec<String> {
    let own = aliases(platform);
    let mut twins = Vec::new();
    for alias in all_aliases().filter(|alias| !own.contains(alias)) {
        for (at, _) in name.match_indices(alias) {
            let (before, rest) =
                (name.get(..at).unwrap_or_default(), name.get(at.saturating_add(alias.len())..).unwrap_or_default());
            let apart = !before.ends_with(|last: char| last.is_ascii_alphanumeric())
                && !rest.starts_with(|next: char| next.is_ascii_alphanumeric());
            if apart {
                twins.extend(own.iter().map(|own| format!("{before}{own}{rest}")));
            }
        }
    }
    let swapped =
        twins.iter().flat_map(|twin| [twin.replace("musl", "gnu"), twin.replace("gnu", "musl"), twin.replace("-musl", "")]);
    let swapped: Vec<String> = swapped.collect();
    twins.extend(swapped);
    twins
}

/// The files that a bare command name finds.
fn programs_on_path(case: &Case<'_>) -> BTreeSet<GuestPath> {
    let launch: Option<&Launch> = case.launch.and_then(|launch| launch.map_or_else(|error| Some(&error.launch), Some));
    let path = launch.and_then(|launch| launch.env.iter().rev().find_map(|setting| setting.strip_prefix(b"PATH=")));
    let mut programs = BTreeSet::new();
    let root = GuestPath::root();
    for directory in path.unwrap_or(DEFAULT_PATH.as_bytes()).split(|byte| *byte == b':').take(64) {
        let Ok(directory) = case.rootfs.resolve(&root, directory, &Credentials::default()) else { continue };
        if directory.entry.kind != EntryKind::Directory || directory.path.is_root() {
            continue;
        }
        for found in case.rootfs.below(&directory.path).filter(|found| found.path.parent().as_ref() == Some(&directory.path)) {
            if let Ok(program) = case.rootfs.resolve(&root, found.path.as_bytes(), &Credentials::default()) {
                programs.insert(program.path);
            }
        }
    }
    programs
}

fn mismatch(case: &Case<'_>, census: &Census<'_>, platform: &Platform) -> Option<Finding> {
    let mut counts: BTreeMap<Code, usize> = BTreeMap::new();
    for (_, code) in &census.foreign {
        let count = counts.entry(*code).or_default();
        *count = count.saturating_add(1);
    }
    let (code, count) = counts.iter().max_by_key(|(_, count)| **count)?;
    let total = census.foreign.len().saturating_add(census.native).saturating_add(census.sibling);
    let source = if case.image.platform().is_some() { "is declared as" } else { "looks like" };
    let machine = code.machine;
    let message = format!("the image {source} {platform}, but {count} of its {total} programs and libraries are for {machine}");
    let mut found = finding("content-platform-mismatch", case.place(), message)?;
    found.evidence = census.foreign.iter().take(3).map(|(file, code)| format!("{}: ELF {}", file.path, code.machine)).collect();
    found.fix = Some(format!("build it again: `docker buildx build --platform {platform} .`, or correct the declared platform"));
    Some(found)
}

fn judge_file(
    case: &Case<'_>,
    census: &Census<'_>,
    platform: &Platform,
    on_path: &BTreeSet<GuestPath>,
    found: &Found<'_>,
    code: Code,
) -> Option<Finding> {
    let kind = elf(found)?.kind;
    let (path, machine) = (&found.path, code.machine);
    let (rule, message) = if let Some(language) = runtime(path) {
        ("foreign-library", format!("{path} is a {language} library for {machine}, but the image is for {platform}"))
    } else if kind == ElfKind::SharedLibrary {
        let wanted = loader_would_use(census, platform, found)?;
        ("foreign-library", format!("{path} is a library for {machine}, but programs for {platform} need {wanted}"))
    } else if on_path.contains(path) {
        ("foreign-executable", format!("{path} is on PATH and built for {machine}, but the image is for {platform}"))
    } else {
        return None;
    };
    let fix = format!(
        "install or build it for {platform} (`docker buildx build --platform {platform} .`), in a stage of that platform"
    );
    bystander(case, rule, found, message, of_another_machine(platform, path), fix)
}

/// A finding about a file that the start does not need: whether anything ever will is not known.
pub(super) fn bystander(
    case: &Case<'_>,
    rule: &str,
    found: &Found<'_>,
    message: String,
    why: Unloadable,
    fix: String,
) -> Option<Finding> {
    let locus = GuestLocus { path: Some(found.path.clone()), ..case.place_in_layer(Some(found.layer)) };
    let judged = finding(rule, locus, message)?;
    let evidence = raises(case.rootfs, &found.path, why).into_iter().collect();
    Some(Finding { confidence: Confidence::Medium, evidence, fix: Some(fix), ..judged })
}

fn of_another_machine(platform: &Platform, path: &GuestPath) -> Unloadable {
    let name = String::from_utf8_lossy(path.name()).into_owned();
    let names = |alias: &&str| name.contains(&format!("-{alias}-"));
    let is_tagged = all_aliases().any(|alias| names(&alias)) && !aliases(platform).iter().any(names);
    Unloadable { is_elf: true, is_tagged }
}

/// What the language's runtime says of a library that it cannot load. glibc passes over one of another machine without a word of
/// its own.
fn raises(rootfs: &Rootfs, path: &GuestPath, why: Unloadable) -> Option<String> {
    let language = runtime(path).filter(|_| exec::libc_in(rootfs) == Some(Libc::Glibc))?;
    let raised = if language == "PHP" { php::raised(rootfs, path, why) } else { raised(language, path, why) };
    Some(format!("{language} raises: {}", raised?))
}

/// The name by which a native program asks for this library, if no native library answers to it. Loaders skip a library of
/// another machine and search on (glibc `elf/dl-load.c`, `open_verify`).
fn loader_would_use(census: &Census<'_>, platform: &Platform, found: &Found<'_>) -> Option<String> {
    let own_triplet = |name: &[u8]| aliases(platform).iter().any(|alias| name.starts_with(alias.as_bytes()));
    let directory = found.path.parent()?;
    let standard = [&b"/lib"[..], b"/usr/lib", b"/lib64", b"/usr/lib64", b"/usr/local/lib", b"/usr/local/lib64"];
    let plain = standard.contains(&directory.as_bytes());
    let triplet = directory.parent().is_some_and(|parent| standard.contains(&parent.as_bytes())) && own_triplet(directory.name());
    let soname = elf(found)?.dynamic.as_ref().and_then(|dynamic| dynamic.soname.as_deref());
    let name = [Some(found.path.name()), soname].into_iter().flatten().find(|name| census.needed.contains(name))?;
    ((plain || triplet) && !census.provided.contains(name)).then(|| escape(name).to_string())
}

fn sibling(case: &Case<'_>, census: &Census<'_>, platform: &Platform) -> Option<Finding> {
    let code = sibling_code(platform)?;
    if census.sibling == 0 {
        return None;
    }
    let (count, machine) = (census.sibling, code.machine);
    let message = format!("{count} programs and libraries are for {machine} (32-bit), which most {platform} nodes run too");
    finding("compat-content", case.place(), message)
}

#[cfg(test)]
mod tests {
    use super::twins;

    fn twins_of(name: &str, platform: &str) -> Vec<String> {
        twins(name, &platform.parse().unwrap())
    }

    #[test]
    fn a_bundle_names_its_parts_alike() {
        assert!(twins_of("linux-x64", "linux/arm64").contains(&"linux-arm64".to_owned()));
        assert!(twins_of("swc-linux-x64-musl", "linux/arm64").contains(&"swc-linux-arm64-gnu".to_owned()));
        assert!(twins_of("tool_x86_64", "linux/arm64").contains(&"tool_aarch64".to_owned()));
    }

    #[test]
    fn a_name_that_only_sounds_like_a_machine_has_no_twin() {
        assert!(twins_of("alarm", "linux/arm64").is_empty());
        assert!(twins_of("charm-tool", "linux/amd64").is_empty());
        assert!(twins_of("linux-arm64", "linux/arm64").is_empty());
    }
}
