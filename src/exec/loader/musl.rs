//! musl's loader (`ldso/dynlink.c`).

use crate::base::GuestPath;
use crate::format::elf::{LoaderFacts, LoaderFamily};

use super::search::{Candidate, MOST_OBJECTS, Object, expand, look, variable};
use super::{Library, LibraryFault, LibraryProblem, Linked, Start};

/// Names that are the loader itself, whatever file has them (`load_library`, `reserved`).
const OWN: [&[u8]; 7] = [b"c.", b"pthread.", b"rt.", b"m.", b"dl.", b"util.", b"xnet."];

struct Linker<'a, 'b> {
    start: &'b Start<'a>,
    system: Vec<Vec<u8>>,
    objects: Vec<Object<'a>>,
    libraries: Vec<Library>,
    fault: Option<LibraryFault>,
}

pub(super) fn link(start: &Start<'_>, facts: &LoaderFacts) -> Linked {
    let system = system_directories(start, facts);
    let mut linker = Linker { start, system, objects: vec![Object::program(start)], libraries: Vec::new(), fault: None };
    let preloaded = variable(start, b"LD_PRELOAD").unwrap_or_default();
    for name in preloaded.split(|byte| matches!(byte, b' ' | b':')).filter(|name| !name.is_empty()) {
        linker.load(name, 0, true);
    }
    let mut next = 0;
    while next < linker.objects.len() && linker.objects.len() < MOST_OBJECTS {
        let needed = linker.objects.get(next).and_then(Object::dynamic).map(|dynamic| dynamic.needed.as_slice());
        for name in needed.unwrap_or_default() {
            linker.load(name, next, false);
        }
        next += 1;
    }
    Linked { libraries: linker.libraries, fault: linker.fault }
}

/// `/etc/ld-musl-ARCHITECTURE.path`, beside the directory that the loader lies in, or else what is built in.
fn system_directories(start: &Start<'_>, facts: &LoaderFacts) -> Vec<Vec<u8>> {
    let name = start.loader_name.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let architecture = name.strip_suffix(b".so.1").unwrap_or(name);
    let path = format!("/etc/{}.path", String::from_utf8_lossy(architecture));
    match start.rootfs.body(&path) {
        Some(list) => list.split(|byte| matches!(byte, b'\n' | b':')).map(<[u8]>::to_vec).collect(),
        None => facts.directories.iter().map(|directory| directory.to_vec()).collect(),
    }
}

impl<'a> Linker<'a, '_> {
    fn load(&mut self, name: &[u8], requester: usize, is_optional: bool) {
        if is_own(name) || self.objects.iter().any(|known| known.names.iter().any(|known| **known == *name)) {
            return;
        }
        let path = if name.contains(&b'/') { Some(name.to_vec()) } else { self.find(name, requester) };
        match path.map(|path| (look(self.start, &path), path)) {
            Some((Candidate::Elf(found, elf), path))
                if elf.bits == self.start.loader.bits
                    && elf.endian == self.start.loader.endian
                    && elf.machine == self.start.loader.machine =>
            {
                let names = vec![name.into()];
                self.add(Object { path, layer: found.layer, found: found.path, elf, names, parent: Some(requester) });
            }
            _ if is_optional => {}
            Some((Candidate::Elf(found, elf), _)) => {
                let own = self.start.loader;
                let class = (elf.bits != own.bits || elf.endian != own.endian).then_some(elf.bits).flatten();
                let why = LibraryProblem::WrongMachine { at: found.path, machine: elf.machine, class };
                self.give_up(name, requester, why);
            }
            Some((Candidate::Other(at, _), _)) => {
                self.give_up(name, requester, LibraryProblem::Broken { at, text: "Exec format error" });
            }
            Some((Candidate::Directory, path)) => {
                self.give_up(name, requester, LibraryProblem::Broken { at: GuestPath::new(path), text: "Is a directory" });
            }
            Some((Candidate::Nothing, _)) | None => self.give_up(name, requester, LibraryProblem::Missing),
        }
    }

    /// The first file of the name that can be opened, whatever it is (`path_open`).
    fn find(&self, name: &[u8], requester: usize) -> Option<Vec<u8>> {
        let mut lists = vec![variable(self.start, b"LD_LIBRARY_PATH").map(split).unwrap_or_default()];
        let mut at = Some(requester);
        while let Some(object) = at.and_then(|index| self.objects.get(index)) {
            lists.push(self.rpath(object));
            at = object.parent;
        }
        lists.push(self.system.clone());
        let candidates = lists.into_iter().flatten().filter(|directory| !directory.is_empty());
        let mut paths = candidates.map(|directory| [&directory[..], b"/", name].concat());
        paths.find(|path| !matches!(look(self.start, path), Candidate::Nothing))
    }

    /// `DT_RUNPATH`, or else `DT_RPATH`; both are inherited (`fixup_rpath`). One with another token than `$ORIGIN` is not used.
    fn rpath(&self, object: &Object<'_>) -> Vec<Vec<u8>> {
        let Some(dynamic) = object.dynamic() else { return Vec::new() };
        let Some(list) = dynamic.runpath.as_deref().or(dynamic.rpath.as_deref()) else { return Vec::new() };
        let expanded = expand(list, |name| {
            (name == b"ORIGIN").then(|| {
                let origin = object.origin(self.start.cwd);
                // Cut at the last slash, the root's own is gone.
                if origin == b"/" { Vec::new() } else { origin }
            })
        });
        if expanded.contains(&b'$') {
            return Vec::new();
        }
        split(&expanded)
    }

    fn add(&mut self, object: Object<'a>) {
        if object.found == *self.start.loader_path {
            return;
        }
        match self.objects.iter_mut().find(|known| known.found == object.found) {
            Some(known) => known.names.extend(object.names),
            None => {
                self.libraries.push(object.library());
                self.objects.push(object);
            }
        }
    }

    fn give_up(&mut self, name: &[u8], requester: usize, why: LibraryProblem) {
        self.libraries.push(Library { name: name.into(), path: None, found: None, layer: None });
        if let (None, Some(object)) = (&self.fault, self.objects.get(requester)) {
            self.fault = Some(LibraryFault {
                program: self.start.name.into(),
                library: name.into(),
                needed_by: object.found.clone(),
                needed_by_name: object.shown(self.start).into(),
                family: LoaderFamily::Musl,
                why,
            });
        }
    }
}

fn is_own(name: &[u8]) -> bool {
    name.strip_prefix(b"lib").is_some_and(|rest| OWN.iter().any(|own| rest.starts_with(own)))
}

fn split(list: &[u8]) -> Vec<Vec<u8>> {
    list.split(|byte| matches!(byte, b':' | b'\n')).map(<[u8]>::to_vec).collect()
}
