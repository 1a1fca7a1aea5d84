//! The kernel's ELF loaders (`fs/binfmt_elf.c`, `fs/compat_binfmt_elf.c`; `arch/*/include/asm/elf.h` for the machines).

use crate::base::{GuestPath, KernelVersion};
use crate::format::content::Content;
use crate::format::elf::{Elf, ElfDamage, ElfInterpreter, Endian, Machine};
use crate::image::{Credentials, Errno, Rootfs};
use crate::node::{Compat, Node, Property};

use super::kernel::{Execution, fails};
use super::{Cause, Doubt, Libc, Outcome, Role, fate, mips, property};

/// Program types (elf(5)).
const PT_LOAD: u32 = 1;
const ET_EXEC: u64 = 2;
const ET_DYN: u64 = 3;

const SIGSEGV: u8 = 11;

/// The most that the kernel reads of a table of program headers, bytes (`load_elf_phdrs`); before 6.17 also one page at most.
const LARGEST_TABLE: u64 = 65_536;

/// One of a kernel's loaders: it reads every header with its own class and byte order, whatever the file claims.
#[derive(Clone, Copy)]
struct Loader {
    wide: bool,
    endian: Endian,
}

/// A file header as a loader sees it: 64 bytes, padded with zeros.
struct Header {
    bytes: [u8; 64],
    loader: Loader,
}

impl Header {
    fn new(elf: &Elf, loader: Loader) -> Self {
        let mut bytes = [0; 64];
        bytes.iter_mut().zip(&elf.header).for_each(|(to, from)| *to = *from);
        Self { bytes, loader }
    }

    fn number(&self, wide: usize, narrow: usize, size: usize) -> u64 {
        let place = if self.loader.wide { wide } else { narrow };
        let bytes = self.bytes.iter().skip(place).take(size);
        let sum = |sum: u64, byte: &u8| sum << 8 | u64::from(*byte);
        if self.loader.endian == Endian::Big { bytes.fold(0, sum) } else { bytes.rev().fold(0, sum) }
    }

    fn kind(&self) -> u64 {
        self.number(16, 16, 2)
    }

    fn machine(&self) -> Machine {
        Machine(u16::try_from(self.number(18, 18, 2)).unwrap_or(0))
    }

    fn class(&self) -> u8 {
        self.bytes.get(4).copied().unwrap_or(0)
    }

    fn os_abi(&self) -> u8 {
        self.bytes.get(7).copied().unwrap_or(0)
    }

    fn entry(&self) -> u64 {
        self.number(24, 24, if self.loader.wide { 8 } else { 4 })
    }

    fn flags(&self) -> u64 {
        self.number(48, 36, 4)
    }

    fn entry_size(&self) -> u64 {
        self.number(54, 42, 2)
    }

    fn entries(&self) -> u64 {
        self.number(56, 44, 2)
    }

    /// `elf_check_arch` and `compat_elf_check_arch`.
    fn is_for(&self, node: &Node) -> bool {
        let (machine, class) = (self.machine(), self.class());
        let has = |compat| node.compat.contains(&compat);
        match (node.platform.architecture.as_str(), self.loader.wide) {
            ("amd64", true) => machine == Machine::X86_64,
            ("amd64", false) => {
                matches!(machine, Machine::I386 | Machine::I486) && has(Compat::I386)
                    || machine == Machine::X86_64 && has(Compat::X32)
            }
            ("386", _) => matches!(machine, Machine::I386 | Machine::I486),
            ("arm64", true) => machine == Machine::AARCH64,
            // A kernel of arm64 wants to know the version of the ABI.
            ("arm64", false) => machine == Machine::ARM && has(Compat::Arm) && self.flags() & 0xff00_0000 != 0,
            ("arm", _) => machine == Machine::ARM && (self.entry() & 1 == 1 || self.entry() & 3 == 0) && !self.wants_26_bits(),
            ("ppc64" | "ppc64le", true) => machine == Machine::PPC64,
            ("ppc64" | "ppc64le", false) => machine == Machine::PPC && has(Compat::Ppc),
            ("s390x", true) => matches!(machine, Machine::S390 | Machine::S390_OLD) && class == 2,
            ("s390x", false) => matches!(machine, Machine::S390 | Machine::S390_OLD) && class == 1 && has(Compat::S390),
            ("mips64" | "mips64le", true) => machine == Machine::MIPS && class == 2,
            ("mips64" | "mips64le", false) => machine == Machine::MIPS && class == 1 && self.mips_abi().is_some_and(has),
            ("mips" | "mipsle", _) => machine == Machine::MIPS && class == 1 && self.mips_abi() == Some(Compat::O32),
            ("riscv64", true) => machine == Machine::RISCV && class == 2,
            ("riscv64", false) => machine == Machine::RISCV && class == 1 && has(Compat::Riscv32),
            ("loong64", true) => machine == Machine::LOONGARCH && class == 2,
            _ => false,
        }
    }

    /// A program from before the EABI for CPUs with addresses of 26 bits (`EF_ARM_APCS_26`), of which none is left.
    fn wants_26_bits(&self) -> bool {
        self.flags() & 0xff00_0008 == 8
    }

    /// `EF_MIPS_ABI2` marks n32, which leaves the field of the ABI (`EF_MIPS_ABI`) empty; o32 has 1 there or nothing.
    fn mips_abi(&self) -> Option<Compat> {
        match (self.flags() & 0x20 != 0, self.flags() & 0xf000) {
            (true, 0) => Some(Compat::N32),
            (false, 0 | 0x1000) => Some(Compat::O32),
            _ => None,
        }
    }
}

/// The loaders of a node's kernel, in the order in which they are asked.
fn loaders(node: &Node) -> Vec<Loader> {
    let Some(code) = node.code() else { return Vec::new() };
    let loader = |wide| Loader { wide, endian: code.endian };
    if code.bits == 64 { vec![loader(true), loader(false)] } else { vec![loader(false)] }
}

/// Loads a program: the first loader that does not say ENOEXEC decides.
pub(super) fn load(execution: &mut Execution<'_>, program: &Elf) -> Outcome {
    let mut refusal = None;
    let node = execution.node;
    let is_wide = node.code().is_some_and(|code| code.bits == 64);
    for loader in loaders(node) {
        let header = Header::new(program, loader);
        match check(program, &header, node) {
            Ok(()) if is_wide && !loader.wide => {
                return unless_unsure(node, Property::Compat32, load_with(execution, program, &header));
            }
            Ok(()) => return load_with(execution, program, &header),
            Err(cause) => refusal = refusal.or(cause),
        }
    }
    let cause = refusal.unwrap_or_else(|| foreign(program, node));
    let is_sibling = matches!(cause, Cause::NoCompat { .. });
    let outcome = fails(Errno::ENOEXEC, cause);
    if is_sibling { unless_unsure(node, Property::Compat32, outcome) } else { outcome }
}

/// An outcome that hangs on a property of the node: it cannot be told where that is not certain.
pub(super) fn unless_unsure(node: &Node, property: Property, outcome: Outcome) -> Outcome {
    match node.unsure.get(&property) {
        Some(why) => Outcome::Unsure { because: Doubt::Node { property, why: why.clone() } },
        None => outcome,
    }
}

/// The checks of `load_elf_binary` up to the interpreter, in its order. `None`: for another machine.
fn check(program: &Elf, header: &Header, node: &Node) -> Result<(), Option<Cause>> {
    /// Uclinux' programs, which another loader takes.
    const ELFOSABI_ARM_FDPIC: u8 = 65;
    let is_for = header.is_for(node);
    if !matches!(header.kind(), ET_EXEC | ET_DYN) {
        return Err(is_for.then(|| Cause::NotAProgram(kind_name(header.kind()))));
    }
    if !is_for {
        return Err(None);
    }
    if node.platform.architecture == "arm" && header.os_abi() == ELFOSABI_ARM_FDPIC {
        return Err(Some(Cause::MalformedElf("an FDPIC program, which needs a kernel without MMU")));
    }
    check_table(program, header, node).map_err(|why| Some(Cause::MalformedElf(why)))
}

/// `load_elf_phdrs`, in its order.
fn check_table(program: &Elf, header: &Header, node: &Node) -> Result<(), &'static str> {
    if header.entry_size() != if header.loader.wide { 56 } else { 32 } {
        return Err("e_phentsize is not the size of a program header");
    }
    let size = header.entries() * header.entry_size();
    let largest = if node.kernel < KernelVersion(6, 17) { node.page_size.min(LARGEST_TABLE) } else { LARGEST_TABLE };
    if size == 0 {
        return Err("it has no program headers");
    }
    if size > largest {
        return Err("it has more program headers than the kernel reads");
    }
    if program.table().len() as u64 != size {
        return Err("its program headers lie beyond the end of the file");
    }
    Ok(())
}

fn kind_name(kind: u64) -> &'static str {
    match kind {
        1 => "an object file",
        4 => "a core dump",
        _ => "of an unknown type",
    }
}

/// Why no loader of the node takes a program of another machine.
fn foreign(program: &Elf, node: &Node) -> Cause {
    if program.damage == Some(ElfDamage::HeaderCut) {
        return Cause::MalformedElf("it ends inside its file header");
    }
    if program.machine == Machine(0) {
        return Cause::MalformedElf("its file header names no machine");
    }
    let sibling = crate::node::sibling_code(&node.platform);
    let is_sibling = sibling.is_some_and(|code| crate::node::Code::of(program) == Some(code));
    if is_sibling {
        return Cause::NoCompat { machine: program.machine };
    }
    Cause::WrongMachine { machine: program.machine, bits: program.bits, endian: program.endian }
}

fn load_with(execution: &mut Execution<'_>, program: &Elf, header: &Header) -> Outcome {
    let interpreter = match interpreter(execution, program, header.loader) {
        Ok(interpreter) => interpreter,
        Err(outcome) => return outcome,
    };
    if execution.node.platform.architecture == "arm64" {
        let Loader { wide, endian } = header.loader;
        if let Err(errno) = property::check(interpreter.unwrap_or(program), wide, endian) {
            return fails(errno, Cause::MalformedElf("its GNU properties are not well formed"));
        }
    }
    if header.machine() == Machine::MIPS
        && let Some(outcome) = mips::check(program, interpreter, execution.node)
    {
        return outcome;
    }
    if let Some(interpreter) = interpreter
        && is_no_loader(interpreter, header.loader)
    {
        return Outcome::Dies { signal: SIGSEGV, cause: Cause::LoaderBroken };
    }
    let start = |elf| {
        let header = Header::new(elf, header.loader);
        fate::Start { elf, entry: header.entry(), movable: header.kind() == ET_DYN }
    };
    let fate = |page| fate::of(start(program), interpreter.map(start), page);
    let (outcome, is_own) = fate(execution.node.page_size.max(4096));
    if is_own {
        execution.leave_loader();
    }
    let hangs_on_pages = [4 << 10, 16 << 10, 64 << 10].into_iter().any(|page| !is_same(&fate(page).0, &outcome));
    if hangs_on_pages { unless_unsure(execution.node, Property::PageSize, outcome) } else { outcome }
}

/// Whether two outcomes differ in no more than the size of the pages that they tell of.
fn is_same(one: &Outcome, other: &Outcome) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other)
}

/// What becomes of a native emulator that was opened elsewhere and whose dynamic loader this root is to have.
pub(super) fn load_fixed(execution: &mut Execution<'_>, path: &[u8]) -> Outcome {
    let Some(loader) = loaders(execution.node).into_iter().next() else { return Outcome::Runs };
    match load_interpreter(execution, path, loader) {
        Ok(interpreter) if is_no_loader(interpreter, loader) => Outcome::Dies { signal: SIGSEGV, cause: Cause::LoaderBroken },
        Ok(_) => {
            execution.leave_loader();
            Outcome::Runs
        }
        Err(outcome) => outcome,
    }
}

/// The dynamic loader that the program names, opened and checked.
fn interpreter<'a>(execution: &mut Execution<'a>, program: &Elf, loader: Loader) -> Result<Option<&'a Elf>, Outcome> {
    match &program.interpreter {
        Some(interpreter) => load_interpreter(execution, interpreter_path(interpreter)?, loader).map(Some),
        None if program.has_interpreter() => {
            Err(Outcome::Unsure { because: Doubt::NotModelled("a PT_INTERP that lies before the program headers") })
        }
        None => Ok(None),
    }
}

/// `PT_INTERP`'s checks, in the kernel's order.
fn interpreter_path(interpreter: &ElfInterpreter) -> Result<&[u8], Outcome> {
    let malformed = |why| Err(fails(Errno::ENOEXEC, Cause::MalformedElf(why)));
    if !(2..=4096).contains(&interpreter.size) {
        return malformed("its PT_INTERP is empty or longer than a path");
    }
    // `fs/read_write.c`, `rw_verify_area`.
    if i64::try_from(interpreter.offset.saturating_add(interpreter.size)).is_err() {
        return Err(fails(Errno::EINVAL, Cause::MalformedElf("its PT_INTERP ends beyond what a file can have")));
    }
    if interpreter.bytes.len() as u64 != interpreter.size {
        return Err(fails(Errno::EIO, Cause::MalformedElf("its PT_INTERP lies beyond the end of the file")));
    }
    match interpreter.bytes.last() {
        Some(0) => Ok(interpreter.path()),
        _ => malformed("its PT_INTERP does not end in NUL"),
    }
}

/// Opens the dynamic loader and reads its headers. Handlers of binfmt_misc are not asked.
fn load_interpreter<'a>(execution: &mut Execution<'a>, path: &[u8], loader: Loader) -> Result<&'a Elf, Outcome> {
    let facts = match execution.open(path, Role::Loader) {
        Ok(facts) => facts,
        Err(Outcome::Fails { errno: Errno::ENOENT, .. }) => {
            let cause = Cause::LoaderMissing { wants: libc_of(path), has: libc_in(execution.rootfs) };
            return Err(fails(Errno::ENOENT, cause));
        }
        Err(outcome) => return Err(outcome),
    };
    // Whatever is shorter than this loader's file header cannot be read as one.
    if facts.head.len() < if loader.wide { 64 } else { 52 } {
        return Err(fails(Errno::EIO, Cause::LoaderBroken));
    }
    let broken = || fails(Errno::ELIBBAD, Cause::LoaderBroken);
    let Content::Elf(interpreter) = &facts.content else { return Err(broken()) };
    let header = Header::new(interpreter, loader);
    if !header.is_for(execution.node) {
        return Err(fails(Errno::ELIBBAD, Cause::LoaderWrongMachine { machine: interpreter.machine }));
    }
    match check_table(interpreter, &header, execution.node) {
        Ok(()) => Ok(interpreter),
        Err(_) => Err(broken()),
    }
}

/// What the kernel finds out only when it maps the dynamic loader, past the point of no return.
fn is_no_loader(interpreter: &Elf, loader: Loader) -> bool {
    let is_program = matches!(Header::new(interpreter, loader).kind(), ET_EXEC | ET_DYN);
    !is_program || !interpreter.segments.iter().any(|segment| segment.kind == PT_LOAD)
}

/// The C library whose loader this is, by its name.
pub(super) fn libc_of(path: &[u8]) -> Libc {
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let begins = |prefix: &[u8]| name.starts_with(prefix);
    if begins(b"ld-musl-") {
        Libc::Musl
    } else if begins(b"ld-linux") || begins(b"ld64.so") || begins(b"ld.so") || begins(b"ld-2.") {
        Libc::Glibc
    } else {
        Libc::Other
    }
}

/// The C library that a root file system has, by the loaders and libraries in the usual places.
pub fn libc_in(rootfs: &Rootfs) -> Option<Libc> {
    for place in ["/lib", "/lib64", "/usr/lib", "/usr/lib64"] {
        let Ok(directory) = rootfs.resolve(&GuestPath::root(), place.as_bytes(), &Credentials::default()) else { continue };
        let deepest = directory.path.components().count() + 2;
        let near = rootfs.below(&directory.path).filter(|found| found.path.components().count() <= deepest);
        let mut libraries = near.filter(|found| !found.is_directory()).map(|found| match found.path.name() {
            b"libc.so.6" => Libc::Glibc,
            name => libc_of(name),
        });
        if let Some(libc) = libraries.find(|libc| *libc != Libc::Other) {
            return Some(libc);
        }
    }
    None
}
