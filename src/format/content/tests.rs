use proptest::prelude::*;

use super::{Archive, Classifier, Content, FileFacts, Text};
use crate::format::macho::MachO;
use crate::format::pe::Pe;
use crate::format::script::Script;

/// Feeds `file` in chunks of `step` as long as more is wanted.
fn classify(file: &[u8], executable: bool, step: usize) -> FileFacts {
    let mut classifier = Classifier::new(file.len() as u64, executable);
    for chunk in file.chunks(step.max(1)) {
        if !classifier.wants_more() {
            break;
        }
        classifier.feed(chunk);
    }
    classifier.finish()
}

fn content(file: impl AsRef<[u8]>) -> Content {
    classify(file.as_ref(), false, 100).content
}

/// How many bytes of a long file that begins with `start` are asked for, in chunks of 1.
fn bytes_wanted(start: &[u8], executable: bool) -> usize {
    let file = [start, &[b'.'; 8192]].concat();
    let mut classifier = Classifier::new(file.len() as u64, executable);
    file.chunks(1)
        .take_while(|chunk| {
            let wanted = classifier.wants_more();
            classifier.feed(chunk);
            wanted
        })
        .count()
}

#[test]
fn magic_numbers_tell_the_kind() {
    let archive = Content::Archive;
    for (start, expected) in [
        (b"!<arch>\n__.PKGDEF       0  ".as_slice(), archive(Archive::GoPackage)),
        (b"!<arch>\n/               0  ", archive(Archive::Ar)),
        (b"!<thin>\n/               0  ", archive(Archive::Ar)),
        (b"PK\x03\x04\x14\0", archive(Archive::Zip)),
        (b"PK\x05\x06\0\0", archive(Archive::Zip)),
        (b"\x1f\x8b\x08\0", archive(Archive::Gzip)),
        (b"\x28\xb5\x2f\xfd\x04", archive(Archive::Zstd)),
        (b"\xfd7zXZ\0\0", archive(Archive::Xz)),
        (b"BZh91AY&SY\0", archive(Archive::Bzip2)),
        (b"\0asm\x01\0\0\0", Content::Wasm),
        (b"BC\xc0\xde5\x14", Content::Bitcode),
        (b"\xca\xfe\xba\xbe\0\0\0\x3d\0\x12", Content::JavaClass),
        (b"\xca\xfe\xba\xbe\0\x03\0\x2d\0\x12", Content::JavaClass),
        (b"\x89PNG\r\n\x1a\n\0\0", Content::Data),
        (b"\xff\xfe\x01", Content::Data),
    ] {
        assert_eq!(content(start), expected, "{start:?}");
    }
    assert!(matches!(content(b"\xcf\xfa\xed\xfe\x07\0\0\x01\x03\0\0\0"), Content::MachO(file) if file.machines().eq(["x86_64"])));
}

#[test]
fn a_universal_mach_o_is_no_java_class() {
    let mut file = b"\xca\xfe\xba\xbe\0\0\0\x02".to_vec();
    for cpu in [0x0100_0007_u32, 0x0100_000c] {
        file.extend(cpu.to_be_bytes());
        file.extend([0; 16]);
    }
    assert!(matches!(content(&file), Content::MachO(file) if file.universal && file.machines().eq(["x86_64", "arm64"])));
}

#[test]
fn mz_is_windows_dos_or_just_text() {
    let mut windows = vec![0; 600];
    windows[..2].copy_from_slice(b"MZ");
    windows[0x3c] = 0x80;
    windows[0x80..0x86].copy_from_slice(b"PE\0\0\x64\xaa");
    assert!(matches!(content(&windows), Content::Pe(pe) if pe.name() == Some("aarch64")));
    windows[0x80] = 0;
    assert!(matches!(content(&windows), Content::Pe(pe) if pe.machine.is_none()));
    assert_eq!(content("MZ is how they begin\n"), Content::Text(Text::Plain));
}

#[test]
fn a_tar_is_told_behind_its_first_name() {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(5);
    builder.append_data(&mut header, "a.txt", b"hello".as_slice()).unwrap();
    let file = builder.into_inner().unwrap();
    assert_eq!(content(&file), Content::Archive(Archive::Tar));
    assert_eq!(classify(&file, true, 7).content, Content::Archive(Archive::Tar));
}

#[test]
fn text_is_valid_utf8_without_nul() {
    assert_eq!(content("echo hello\n"), Content::Text(Text::Plain));
    assert_eq!(content("\u{feff}echo\n"), Content::Text(Text::Plain));
    assert_eq!(content("écho\n"), Content::Text(Text::Plain));
    assert_eq!(content(b"caf\xe9\n"), Content::Data);
    assert_eq!(content(b"a text\0and more"), Content::Data);
    assert_eq!(content("caf\u{e9}".as_bytes().split_last().unwrap().1), Content::Data, "cut by the file's end");
}

#[test]
fn a_character_cut_by_the_heads_end_is_still_text() {
    let file = format!("{}€ and more", "a".repeat(4094));
    assert_eq!(content(file), Content::Text(Text::Plain));
}

#[test]
fn what_stands_before_a_shebang_is_named() {
    assert_eq!(content("\u{feff}#!/bin/sh\n"), Content::Text(Text::ByteOrderMarkThenShebang));
    assert_eq!(content(" #!/bin/sh\n"), Content::Text(Text::BlankThenShebang));
    assert_eq!(content("\r\n\t#!/bin/sh\n"), Content::Text(Text::BlankThenShebang));
    for mark in [b"\xff\xfe#\0!\0/\0", b"\xfe\xff\0#\0!\0/"] {
        assert_eq!(content(mark), Content::Text(Text::Utf16));
    }
}

#[test]
fn stand_ins_for_a_file_are_named() {
    assert_eq!(content("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n"), Content::GitLfsPointer);
    assert_eq!(content("<!DOCTYPE html>\n<title>404</title>"), Content::Html);
    assert_eq!(content("\r\n <HTML lang=en>"), Content::Html);
    assert_eq!(content("<?xml version='1.0'?>"), Content::Text(Text::Plain));
    assert_eq!(content(""), Content::Empty);
}

#[test]
fn the_head_is_kept_for_what_a_kernel_might_be_given() {
    let script = format!("#!/bin/sh\n{}", "echo\n".repeat(100));
    assert_eq!(&*classify(script.as_bytes(), false, 33).head, &script.as_bytes()[..256]);
    let text = "a text, not a script\n".repeat(30);
    assert_eq!(&*classify(text.as_bytes(), true, 33).head, &text.as_bytes()[..256]);
    assert_eq!(&*classify(text.as_bytes(), false, 33).head, b"");
    let zip = [b"PK\x03\x04".as_slice(), &[7; 500]].concat();
    assert_eq!(&*classify(&zip, true, 1).head, &zip[..256]);
    assert_eq!(&*classify(&zip, false, 1).head, b"");
    assert_eq!(&*classify(b"\x7fELF", false, 1).head, b"\x7fELF");
}

#[test]
fn little_is_read_of_files_that_are_not_elf() {
    assert_eq!(bytes_wanted(b"PK\x03\x04", false), 17);
    assert_eq!(bytes_wanted(b"PK\x03\x04", true), 256);
    assert_eq!(bytes_wanted(b"\x89PNG\r\n\x1a\n\0\0", false), 262);
    assert_eq!(bytes_wanted(b"#!/bin/sh\n", true), 256);
    assert_eq!(bytes_wanted(b"text", false), 4096);
    assert!(!Classifier::new(0, true).wants_more());
}

#[test]
fn a_summary_says_what_the_file_is() {
    let script = |line: &[u8]| Content::Script(Script::parse(line).unwrap());
    let universal = MachO { universal: true, cpus: vec![(0x0100_0007, 3), (0x0100_000c, 0)] };
    for (content, summary) in [
        (Content::MachO(universal), "Mach-O universal (x86_64, arm64)"),
        (Content::Pe(Pe { machine: Some(0x8664) }), "Windows executable (PE x86_64)"),
        (Content::Pe(Pe { machine: Some(0x7777) }), "Windows executable (PE machine 0x7777)"),
        (Content::Pe(Pe { machine: None }), "DOS executable"),
        (script(b"#!/bin/sh\n"), "script (#!/bin/sh)"),
        (script(b"#! /usr/bin/env bash\r\n"), r"script (#!/usr/bin/env bash\r)"),
        (script(b"#!\n"), "script (#! without a program)"),
        (Content::Archive(Archive::GoPackage), "Go package archive"),
        (Content::Text(Text::Plain), "text without #!"),
        (Content::GitLfsPointer, "git-lfs pointer"),
        (Content::Empty, "empty file"),
    ] {
        assert_eq!(content.summary(), summary);
    }
}

#[test]
fn a_summary_does_not_steer_the_terminal() {
    let script = Content::Script(Script::parse(b"#!/bin/\x1b[31msh\n").unwrap());
    assert_eq!(script.summary(), r"script (#!/bin/\x1b[31msh)");
}

proptest! {
    #[test]
    fn the_answer_does_not_depend_on_how_the_bytes_are_cut(
        start in prop::sample::select(vec![b"".as_slice(), b"#!", b"MZ", b"\xca\xfe\xba\xbe\0\0\0", b"\xff\xfe", b"\xcf\xfa\xed\xfe", b"\xef\xbb\xbf", b"!<arch>\n", b"\x7fELF"]),
        tail in prop_oneof![proptest::collection::vec(any::<u8>(), 0..5000), "[ -~\n€]{0,3000}".prop_map(String::into_bytes)],
        executable in any::<bool>(),
        step in 1usize..5000,
    ) {
        let file = [start, &tail].concat();
        let facts = classify(&file, executable, step);
        prop_assert_eq!(&facts, &classify(&file, executable, file.len()));
        prop_assert!(facts.head.len() <= 256 && file.starts_with(&facts.head));
        prop_assert_eq!(facts.content == Content::Empty, file.is_empty());
        prop_assert!(!facts.content.summary().chars().any(char::is_control));
    }

    #[test]
    fn a_file_shorter_than_promised_is_still_classified(text in "[a-z ]{1,300}", missing in 1u64..10_000) {
        let mut classifier = Classifier::new(text.len() as u64 + missing, false);
        classifier.feed(text.as_bytes());
        prop_assert_eq!(classifier.finish().content, Content::Text(Text::Plain));
    }

    #[test]
    fn bytes_beyond_the_promised_size_are_not_looked_at(text in "[a-z]{1,300}", surplus in proptest::collection::vec(any::<u8>(), 1..300)) {
        let mut classifier = Classifier::new(text.len() as u64, false);
        classifier.feed(&[text.as_bytes(), &surplus].concat());
        prop_assert_eq!(classifier.finish(), classify(text.as_bytes(), false, 300));
    }
}
