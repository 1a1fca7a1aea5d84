//! glibc's loader (`elf/rtld.c`, `elf/dl-load.c`, `elf/dl-deps.c`, `elf/dl-version.c`).

use crate::base::GuestPath;
use crate::format::elf::{Elf, Endian, FloatAbi, LoaderFacts, LoaderFamily, Machine, Version};

use crate::exec::mips;
use crate::node::Level;

use super::cache::Cache;
use super::search::{Candidate, MOST_OBJECTS, Object, expand, look, variable};
use super::{Library, LibraryFault, LibraryProblem, Linked, MissingVersion, Start};

/// `DF_1_NODEFLIB`.
const NODEFLIB: u64 = 0x800;

/// The objects of a process in the making.
struct Linker<'a, 'b> {
    start: &'b Start<'a>,
    facts: &'b LoaderFacts,
    cache: Cache<'a>,
    objects: Vec<Object<'a>>,
    libraries: Vec<Library>,
    fault: Option<LibraryFault>,
}

/// How the search for one library ends.
enum Search<'a> {
    Found(Object<'a>),
    Not(LibraryProblem),
}

/// What was passed over on the way.
#[derive(Default)]
struct PassedOver {
    other_machine: Option<LibraryProblem>,
    other_class: Option<LibraryProblem>,
}

pub(super) fn link(start: &Start<'_>, facts: &LoaderFacts) -> Linked {
    let loader = Object {
        path: start.loader_name.to_vec(),
        found: start.loader_path.clone(),
        layer: 0,
        elf: start.loader,
        names: vec![start.loader_name.into()],
        parent: None,
    };
    let cache = Cache::open(start.rootfs, start.loader);
    let objects = vec![Object::program(start), loader];
    let mut linker = Linker { start, facts, cache, objects, libraries: Vec::new(), fault: None };
    linker.preload();
    // Breadth first: what the program needs, then what that needs. The loader's own needs are none.
    let mut next = 0;
    while next < linker.objects.len() && linker.objects.len() < MOST_OBJECTS {
        linker.load_needs(next);
        next += 1;
    }
    if linker.fault.is_none() {
        linker.fault = linker.check_versions();
    }
    Linked { libraries: linker.libraries, fault: linker.fault }
}

impl<'a> Linker<'a, '_> {
    /// `LD_PRELOAD` and `/etc/ld.so.preload`: what cannot be loaded is passed over with a word.
    fn preload(&mut self) {
        let listed = variable(self.start, b"LD_PRELOAD").unwrap_or_default();
        let file = self.start.rootfs.body("/etc/ld.so.preload").unwrap_or_default();
        let named = listed.split(|byte| matches!(byte, b' ' | b':')).map(<[u8]>::to_vec);
        let lines = file.split(|byte| *byte == b'\n').map(|line| line.split(|byte| *byte == b'#').next().unwrap_or_default());
        let more = lines.flat_map(|line| line.split(|byte| matches!(byte, b' ' | b':' | b'\t'))).map(<[u8]>::to_vec);
        for name in named.chain(more).filter(|name| !name.is_empty()) {
            let expanded = self.expand(&name, 0);
            if let Search::Found(object) = self.find(&expanded, 0) {
                self.add(object);
            }
        }
    }

    fn load_needs(&mut self, requester: usize) {
        let Some(dynamic) = self.objects.get(requester).and_then(Object::dynamic) else { return };
        for name in &dynamic.needed {
            let wanted = self.expand(name, requester);
            if self.is_loaded(&wanted) {
                continue;
            }
            match self.find(&wanted, requester) {
                Search::Found(object) => self.add(object),
                Search::Not(why) => self.give_up(&wanted, requester, why),
            }
        }
    }

    fn give_up(&mut self, name: &[u8], requester: usize, why: LibraryProblem) {
        if self.libraries.iter().any(|library| library.path.is_none() && *library.name == *name) {
            return;
        }
        self.libraries.push(Library { name: name.into(), path: None, found: None, layer: None });
        if let (None, Some(object)) = (&self.fault, self.objects.get(requester)) {
            self.fault = Some(LibraryFault {
                program: self.start.name.into(),
                library: name.into(),
                needed_by: object.found.clone(),
                needed_by_name: object.shown(self.start).into(),
                family: LoaderFamily::Glibc,
                why,
            });
        }
    }

    /// By a name that it was asked for, or by its `DT_SONAME` (`_dl_map_object`).
    fn is_loaded(&mut self, name: &[u8]) -> bool {
        let known = |object: &&mut Object<'_>| {
            object.path == name || object.names.iter().any(|known| **known == *name) || object.soname() == Some(name)
        };
        let Some(object) = self.objects.iter_mut().find(known) else { return false };
        if !object.names.iter().any(|known| **known == *name) {
            object.names.push(name.into());
        }
        true
    }

    /// Takes an object in, unless it is one that is there under another name (`_dl_map_object_from_fd`).
    fn add(&mut self, object: Object<'a>) {
        match self.objects.iter_mut().find(|known| known.found == object.found) {
            Some(known) => known.names.extend(object.names),
            None => {
                self.libraries.push(object.library());
                self.objects.push(object);
            }
        }
    }

    /// The search in its order: the paths that objects bring along, the environment, the cache, the loader's own directories.
    fn find(&self, name: &[u8], requester: usize) -> Search<'a> {
        let mut passed = PassedOver::default();
        if name.contains(&b'/') {
            return self.end(self.try_at(name, name, requester, &mut passed), passed);
        }
        for directory in self.directories_of_objects(requester) {
            if let Some(search) = self.try_in(&directory, name, requester, &mut passed) {
                return search;
            }
        }
        let has_defaults = self.objects.get(requester).and_then(Object::dynamic).is_none_or(|own| own.flags_1 & NODEFLIB == 0);
        for path in self.cache.find(name) {
            let is_default = self.facts.directories.iter().any(|directory| is_in(path, directory));
            if (has_defaults || !is_default)
                && let Some(search) = self.try_at(path, name, requester, &mut passed)
            {
                return search;
            }
        }
        for directory in self.facts.directories.iter().filter(|_| has_defaults) {
            if let Some(search) = self.try_in(directory, name, requester, &mut passed) {
                return search;
            }
        }
        self.end(None, passed)
    }

    fn end(&self, search: Option<Search<'a>>, passed: PassedOver) -> Search<'a> {
        let why = || passed.other_class.or(passed.other_machine).unwrap_or(LibraryProblem::Missing);
        search.unwrap_or_else(|| Search::Not(why()))
    }

    fn directories_of_objects(&self, requester: usize) -> Vec<Vec<u8>> {
        let mut directories = Vec::new();
        let runpath = |index: usize| self.objects.get(index)?.dynamic()?.runpath.as_deref();
        if runpath(requester).is_none() {
            let mut at = Some(requester);
            let mut seen_program = false;
            while let Some(index) = at {
                directories.extend(self.rpath(index));
                seen_program |= index == 0;
                at = self.objects.get(index).and_then(|object| object.parent);
            }
            if !seen_program {
                directories.extend(self.rpath(0));
            }
        }
        let listed = variable(self.start, b"LD_LIBRARY_PATH").unwrap_or_default();
        if !listed.is_empty() {
            let split = listed.split(|byte| matches!(byte, b':' | b';'));
            directories.extend(split.map(|directory| self.expand(directory, 0)));
        }
        directories.extend(runpath(requester).into_iter().flat_map(|list| self.split(list, requester)));
        directories
    }

    /// `DT_RPATH`, which counts for nothing beside a `DT_RUNPATH`.
    fn rpath(&self, index: usize) -> Vec<Vec<u8>> {
        let dynamic = self.objects.get(index).and_then(Object::dynamic);
        let list = dynamic.filter(|dynamic| dynamic.runpath.is_none()).and_then(|dynamic| dynamic.rpath.as_deref());
        list.map(|list| self.split(list, index)).unwrap_or_default()
    }

    fn split(&self, list: &[u8], index: usize) -> Vec<Vec<u8>> {
        if list.is_empty() {
            return Vec::new();
        }
        list.split(|byte| *byte == b':').map(|directory| self.expand(directory, index)).collect()
    }

    /// `$ORIGIN`, `$LIB` and `$PLATFORM` (ld.so(8), "Dynamic string tokens").
    fn expand(&self, text: &[u8], index: usize) -> Vec<u8> {
        expand(text, |name| match name {
            b"ORIGIN" => self.objects.get(index).map(|object| object.origin(self.start.cwd)),
            b"LIB" => Some(self.library_folder()),
            b"PLATFORM" => platform(self.start).map(<[u8]>::to_vec),
            _ => None,
        })
    }

    /// What the loader was built to take for `lib`: the first of its own directories says it.
    fn library_folder(&self) -> Vec<u8> {
        let first = self.facts.directories.first().map(|directory| &**directory).unwrap_or_default();
        first.strip_prefix(b"/usr/").or(first.strip_prefix(b"/")).unwrap_or(b"lib").to_vec()
    }

    fn try_in(&self, directory: &[u8], name: &[u8], requester: usize, passed: &mut PassedOver) -> Option<Search<'a>> {
        // An empty element is the directory that the process is in.
        if directory.is_empty() {
            return self.try_at(name, name, requester, passed);
        }
        let directory = directory.strip_suffix(b"/").filter(|rest| !rest.is_empty()).unwrap_or(directory);
        // Since 2.33. Of a CPU of which nothing is known, what is for every CPU is taken, which has the same names.
        let level = self.start.node.level.filter(|_| self.facts.version.is_some_and(|version| version >= (2, 33)));
        let better = level.map(Level::glibc_directories).unwrap_or_default();
        let folders = better.iter().map(|folder| [directory, b"/glibc-hwcaps/", folder.as_bytes()].concat());
        let mut folders = folders.chain([directory.to_vec()]);
        folders.find_map(|folder| self.try_at(&[&folder[..], b"/", name].concat(), name, requester, passed))
    }

    /// `open_verify`: what is of another machine or class is passed over, what is broken ends the start.
    fn try_at(&self, path: &[u8], name: &[u8], requester: usize, passed: &mut PassedOver) -> Option<Search<'a>> {
        let broken = |at: GuestPath, text| Some(Search::Not(LibraryProblem::Broken { at, text }));
        let (found, elf) = match look(self.start, path) {
            Candidate::Nothing => return None,
            Candidate::Directory => return broken(GuestPath::new(path), "cannot read file data: Error 21"),
            Candidate::Other(at, size) => {
                return broken(at, if size < 64 { "file too short" } else { "invalid ELF header" });
            }
            Candidate::Elf(found, elf) => (found, elf),
        };
        let mine = self.start.loader;
        if elf.bits != mine.bits {
            let at = found.path;
            let problem = LibraryProblem::WrongMachine { at, machine: elf.machine, class: elf.bits };
            passed.other_class.get_or_insert(problem);
            return None;
        }
        if elf.endian != mine.endian {
            let text = match mine.endian {
                Some(Endian::Big) => "ELF file data encoding not big-endian",
                _ => "ELF file data encoding not little-endian",
            };
            return broken(found.path, text);
        }
        if elf.machine != mine.machine {
            let problem = LibraryProblem::WrongMachine { at: found.path, machine: elf.machine, class: None };
            passed.other_machine.get_or_insert(problem);
            return None;
        }
        if let Some(what) = self.does_not_go(elf) {
            // One of the checks that have no text of their own (`sysdeps/unix/sysv/linux/arm/ldsodefs.h`, `VALID_FLOAT_ABI`).
            if elf.machine == Machine::ARM && !self.facts.passes_over_float_abis {
                return broken(found.path, "internal error");
            }
            passed.other_machine.get_or_insert(LibraryProblem::OtherAbi { at: found.path, what });
            return None;
        }
        if !matches!(elf_type(elf), Some(2 | 3)) {
            return broken(found.path, "only ET_DYN and ET_EXEC can be loaded");
        }
        Some(Search::Found(Object {
            path: path.to_vec(),
            layer: found.layer,
            found: found.path,
            elf,
            names: vec![name.into()],
            parent: Some(requester),
        }))
    }

    /// Why a library of the right machine does not go with this process, if so. Until 2.36 one that was built for a newer kernel was
    /// passed over (`elf/dl-load.c`, `open_verify`), as one of the other version of POWER's ABI still is
    /// (`sysdeps/powerpc/powerpc64/dl-machine.h`, `elf_machine_matches_host`), and one that differs from what is loaded on MIPS.
    fn does_not_go(&self, library: &Elf) -> Option<&'static str> {
        /// `EF_PPC64_ABI`: 1 is ELFv1, 2 ELFv2, 0 says nothing.
        const ABI: u32 = 3;
        let loader = self.start.loader;
        let is_too_new = || library.oldest_kernel.is_some_and(|oldest| self.start.node.has_older_kernel(oldest));
        if self.facts.refuses_old_kernels && is_too_new() {
            return Some("it is built for newer kernels");
        }
        let (own, other) = (loader.flags & ABI, library.flags & ABI);
        match library.machine {
            Machine::PPC64 if own != 0 && other != 0 && own != other => Some("it is of the other version of the ELF ABI"),
            Machine::MIPS if !mips::links(library, loader, self.objects.iter().map(|object| object.elf)) => {
                Some("its floating-point ABI or its NaNs are other ones")
            }
            Machine::ARM => match (loader.float_abi()?, library.float_abi()?) {
                (FloatAbi::Hard, FloatAbi::Soft) => Some("it is of the soft-float ABI"),
                (FloatAbi::Soft, FloatAbi::Hard) => Some("it is of the hard-float ABI"),
                _ => None,
            },
            _ => None,
        }
    }

    /// `_dl_check_all_versions`: all that one library lacks is told together.
    fn check_versions(&self) -> Option<LibraryFault> {
        for object in &self.objects {
            for need in object.dynamic().into_iter().flat_map(|dynamic| &dynamic.needs) {
                let Some(library) = self.objects.iter().find(|known| known.names.contains(&need.file)) else {
                    continue;
                };
                if !lacks(library, &need.name, need.weak) {
                    continue;
                }
                let missing = self.all_missing(library);
                return Some(LibraryFault {
                    program: self.start.name.into(),
                    library: need.file.clone(),
                    needed_by: object.found.clone(),
                    needed_by_name: object.shown(self.start).into(),
                    family: LoaderFamily::Glibc,
                    why: LibraryProblem::Versions { at: library.path.clone().into(), missing },
                });
            }
        }
        None
    }

    fn all_missing(&self, library: &Object<'_>) -> Vec<MissingVersion> {
        let mut missing = Vec::new();
        for object in &self.objects {
            let needs = object.dynamic().into_iter().flat_map(|dynamic| &dynamic.needs);
            let needs = needs.filter(|need| library.names.contains(&need.file) && lacks(library, &need.name, need.weak));
            let version = |need: &Version| MissingVersion { name: need.name.clone(), needed_by: object.shown(self.start).into() };
            missing.extend(needs.map(version));
        }
        missing
    }
}

fn lacks(library: &Object<'_>, version: &[u8], weak: bool) -> bool {
    let incomplete = library.dynamic().is_none_or(|dynamic| dynamic.incomplete);
    let defines = library.dynamic().and_then(|dynamic| dynamic.defines.as_ref());
    !weak && !incomplete && defines.is_some_and(|defines| !defines.iter().any(|name| **name == *version))
}

fn is_in(path: &[u8], directory: &[u8]) -> bool {
    path.strip_prefix(directory).and_then(|rest| rest.strip_prefix(b"/")).is_some_and(|name| !name.contains(&b'/'))
}

/// `e_type`, in the file's byte order.
fn elf_type(elf: &Elf) -> Option<u16> {
    let bytes: [u8; 2] = elf.header.get(16..18)?.try_into().ok()?;
    Some(if elf.endian == Some(Endian::Big) { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
}

/// `AT_PLATFORM`, where it does not depend on the CPU's model.
fn platform(start: &Start<'_>) -> Option<&'static [u8]> {
    Some(match start.node.platform.architecture.as_str() {
        "amd64" => b"x86_64",
        "arm64" => b"aarch64",
        "386" => b"i686",
        _ => return None,
    })
}
