//! What a root file system holds, as rows for a report.

use std::collections::BTreeMap;

use crate::base::escape;
use crate::format::content::Content;
use crate::format::elf::ElfKind;
use crate::image::{EntryKind, Found, Rootfs};

use super::{FileReport, MachineCount};

/// Counts the files for each machine in each layer: ELF, and the other systems' programs.
pub fn machines(rootfs: &Rootfs) -> Vec<MachineCount> {
    let mut counts: BTreeMap<MachineCount, (usize, usize)> = BTreeMap::new();
    for found in rootfs.iter() {
        let Some(file) = file(&found) else { continue };
        let Some(machine) = file.machine else { continue };
        let key = MachineCount { machine, bits: file.bits, endian: file.endian, layer: found.layer, files: 0, executables: 0 };
        let program = file.kind != "elf" || file.elf_type.is_some_and(|kind| ["executable", "static-pie"].contains(&kind));
        let (files, executables) = counts.entry(key).or_default();
        *files += 1;
        *executables += usize::from(program && found.entry.mode & 0o111 != 0);
    }
    counts.into_iter().map(|(key, (files, executables))| MachineCount { files, executables, ..key }).collect()
}

/// Every file that is code of some kind, by path.
pub fn files(rootfs: &Rootfs) -> Vec<FileReport> {
    rootfs.iter().filter_map(|found| file(&found)).collect()
}

fn file(found: &Found<'_>) -> Option<FileReport> {
    let EntryKind::File { facts, .. } = &found.entry.kind else { return None };
    let plain = FileReport {
        path: found.path.to_string(),
        layer: found.layer,
        kind: facts.content.kind_name(),
        machine: None,
        bits: None,
        endian: None,
        elf_type: None,
        interp: None,
        needed: Vec::new(),
    };
    match &facts.content {
        Content::Elf(elf) => Some(FileReport {
            machine: Some(elf.machine.to_string()),
            bits: elf.bits,
            endian: elf.endian.map(crate::format::elf::Endian::name),
            elf_type: Some(ElfKind::name(elf.kind)),
            interp: elf.interpreter.as_ref().map(|interpreter| escape(interpreter.path()).to_string()),
            needed: elf.dynamic.iter().flat_map(|dynamic| &dynamic.needed).map(|name| escape(name).to_string()).collect(),
            ..plain
        }),
        Content::Script(script) => {
            let interp = script.interpreter.as_ref().map(|interpreter| escape(&interpreter.path).to_string());
            Some(FileReport { interp, ..plain })
        }
        Content::Pe(pe) => Some(FileReport { machine: Some(format!("windows-{}", pe.name().unwrap_or("unknown"))), ..plain }),
        Content::MachO(macho) => {
            Some(FileReport { machine: Some(format!("darwin-{}", macho.machines().collect::<Vec<_>>().join("+"))), ..plain })
        }
        Content::Wasm | Content::JavaClass | Content::Bitcode | Content::GitLfsPointer => Some(plain),
        Content::Empty | Content::Archive(_) | Content::Html | Content::Text(_) | Content::Data => None,
    }
}
