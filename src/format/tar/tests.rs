use proptest::prelude::*;

use super::{Member, MemberKind, Members, Tar, TarError};

/// Blocks written by hand, for what no writer writes.
struct Block([u8; 512]);

impl Block {
    fn new(name: &str, flag: u8, size: u64) -> Self {
        let mut block = Self([0; 512]);
        block.set(0, name.as_bytes());
        block.set(100, b"0000644\0");
        block.set(124, format!("{size:011o}\0").as_bytes());
        block.set(156, &[flag]);
        block.set(257, b"ustar\x0000");
        block
    }

    fn set(&mut self, at: usize, bytes: &[u8]) -> &mut Self {
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    fn seal(&mut self) -> Vec<u8> {
        self.set(148, b"        ");
        let sum: u32 = self.0.iter().map(|byte| u32::from(*byte)).sum();
        self.set(148, format!("{sum:06o}\0 ").as_bytes());
        self.0.to_vec()
    }
}

fn padded(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

fn member(name: &str, flag: u8, body: &[u8]) -> Vec<u8> {
    [Block::new(name, flag, body.len() as u64).seal(), padded(body)].concat()
}

fn pax(records: &[(&str, &str)]) -> Vec<u8> {
    let mut body = String::new();
    for (key, value) in records {
        let rest = format!(" {key}={value}\n");
        let digits = (1..).find(|digits| (rest.len() + digits).to_string().len() == *digits).unwrap();
        body += &format!("{}{rest}", rest.len() + digits);
    }
    member("PaxHeaders/x", b'x', body.as_bytes())
}

/// Gives a few bytes at a time, so that everything lies across a buffer's end.
struct Drip<'a>(&'a [u8]);

impl std::io::Read for Drip<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = buffer.len().min(200);
        self.0.read(&mut buffer[..count])
    }
}

type Listed = Vec<(Member, Vec<u8>)>;

/// All members with at most 1 MiB of each body, and how it ended.
fn read(archive: &[u8]) -> (Listed, Result<(), TarError>) {
    let mut tar = Tar::new(Drip(archive));
    let mut members = Listed::new();
    loop {
        let member = match tar.next_member() {
            Ok(Some(member)) => member,
            Ok(None) => return (members, Ok(())),
            Err(error) => return (members, Err(error)),
        };
        let mut body = Vec::new();
        while body.len() < 1 << 20 {
            match tar.body() {
                Ok([]) => break,
                Ok(piece) => body.extend_from_slice(piece),
                Err(error) => return (members, Err(error)),
            }
        }
        members.push((member, body));
    }
}

fn one(archive: &[u8]) -> (Member, Vec<u8>) {
    let (mut members, end) = read(archive);
    assert_eq!((end, members.len()), (Ok(()), 1));
    members.remove(0)
}

fn names(members: &Listed) -> Vec<String> {
    members.iter().map(|(member, _)| String::from_utf8_lossy(&member.path).into_owned()).collect()
}

#[test]
fn nothing_is_an_empty_archive() {
    assert_eq!(read(b""), (vec![], Ok(())));
    assert_eq!(read(&[0; 1024]), (vec![], Ok(())));
    assert_eq!(read(&[0; 512]), (vec![], Ok(())));
}

#[test]
fn every_flag_has_its_kind() {
    let mut device = Block::new("dev", b'3', 0);
    device.set(329, b"0000005\0").set(337, b"0000001\0");
    let link = |flag| Block::new("l", flag, 0).set(157, b"to/here").seal();
    let archive = [
        member("f", b'0', b"1"),
        member("old", 0, b"2"),
        member("contiguous", b'7', b"3"),
        link(b'1'),
        link(b'2'),
        device.seal(),
        member("b", b'4', b""),
        member("d/", b'5', b""),
        member("old-directory/", 0, b""),
        member("p", b'6', b""),
        member("vendor", b'V', b"body"),
    ]
    .concat();
    let (members, end) = read(&archive);
    assert_eq!(end, Ok(()));
    let kinds: Vec<MemberKind> = members.iter().map(|(member, _)| member.kind.clone()).collect();
    let to = || b"to/here".to_vec();
    use MemberKind::*;
    let expected = [
        File,
        File,
        File,
        Hardlink(to()),
        Symlink(to()),
        CharacterDevice(5, 1),
        BlockDevice,
        Directory,
        Directory,
        Fifo,
        Other(b'V'),
    ];
    assert_eq!(kinds, expected);
    assert_eq!(members.iter().map(|(_, body)| body.as_slice()).collect::<Vec<_>>()[..3], [b"1", b"2", b"3"]);
}

#[test]
fn links_and_directories_have_no_body_whatever_their_size_says() {
    let link = Block::new("l", b'1', 700).set(157, b"f").seal();
    let archive = [link, Block::new("d/", b'5', 4096).seal(), member("f", b'0', b"x")].concat();
    let (members, end) = read(&archive);
    assert_eq!((names(&members), end), (vec!["l".into(), "d/".into(), "f".into()], Ok(())));
    assert_eq!(members[0].0.size, 0);
}

#[test]
fn ustar_joins_prefix_and_name_and_gnu_does_not() {
    let mut block = Block::new("name", b'0', 0);
    block.set(345, b"some/prefix");
    assert_eq!(one(&block.seal()).0.path, b"some/prefix/name");
    block.set(257, b"ustar  \0");
    assert_eq!(one(&block.seal()).0.path, b"name");
}

#[test]
fn signed_checksums_are_accepted_and_wrong_ones_are_not() {
    let mut block = Block::new("caf\u{e9}", b'0', 0);
    block.set(148, b"        ");
    let sum: i32 = block.0.iter().map(|byte| i32::from(byte.cast_signed())).sum();
    block.set(148, format!("{sum:06o}\0 ").as_bytes());
    assert_eq!(one(&block.0).0.path, "café".as_bytes());
    block.set(0, b"x");
    assert_eq!(read(&block.0).1, Err(TarError::Header { offset: 0 }));
    assert_eq!(read(&[b'a'; 2000]).1, Err(TarError::Header { offset: 0 }));
}

#[test]
fn pax_records_override_the_header() {
    let long = format!("very/long/{}", "x".repeat(300));
    let records =
        pax(&[("path", &long), ("size", "3"), ("uid", "4000000000"), ("gid", "7"), ("mtime", "1.5"), ("SCHILY.x", "a\nb=c")]);
    let archive = [records, Block::new("short", b'0', 0).seal(), padded(b"abc"), member("next", b'0', b"")].concat();
    let (members, end) = read(&archive);
    assert_eq!((end, names(&members)), (Ok(()), vec![long, "next".into()]));
    let (first, body) = &members[0];
    assert_eq!((first.uid, first.gid, first.size, body.as_slice()), (4_000_000_000, 7, 3, &b"abc"[..]));
    assert_eq!(members[1].0.uid, 0);
}

#[test]
fn a_global_header_applies_to_nothing() {
    let global = member("pax_global_header", b'g', b"13 path=wrong\n");
    assert_eq!(one(&[global, member("right", b'0', b"")].concat()).0.path, b"right");
}

#[test]
fn gnu_long_names_end_at_a_nul() {
    let long = [b"n".repeat(200), vec![0]].concat();
    let target = [b"t".repeat(5000), vec![0]].concat();
    let archive =
        [member("././@LongLink", b'L', &long), member("././@LongLink", b'K', &target), member("short", b'2', b"")].concat();
    let (member, _) = one(&archive);
    assert_eq!((member.path, member.kind), (b"n".repeat(200), MemberKind::Symlink(b"t".repeat(5000))));
}

#[test]
fn extensions_are_bounded() {
    let huge = |flag, size| read(&[Block::new("x", flag, size).seal(), vec![b'1'; 4096]].concat()).1;
    assert_eq!(huge(b'L', 1 << 40), Err(TarError::Field { field: "long name", offset: 0 }));
    assert_eq!(huge(b'x', (1 << 20) + 1), Err(TarError::Field { field: "PAX size", offset: 0 }));
}

#[test]
fn a_size_may_be_base_256_but_not_negative() {
    let mut block = Block::new("big", b'0', 0);
    block.set(124, &[0x80, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0]);
    let truncated = TarError::Truncated { path: "big".into(), missing: 1 << 36 };
    assert_eq!(read(&block.seal()).1, Err(truncated));
    block.set(124, &[0xff; 12]);
    assert_eq!(read(&block.seal()).1, Err(TarError::Field { field: "size", offset: 0 }));
}

#[test]
fn two_zero_blocks_end_the_archive_and_one_is_an_error() {
    let first = member("first", b'0', b"1");
    let second = member("second", b'0', b"2");
    let (members, end) = read(&[first.clone(), vec![0; 1024], second.clone()].concat());
    assert_eq!((names(&members), end), (vec!["first".into()], Ok(())));
    let offset = first.len() as u64;
    assert_eq!(read(&[first, vec![0; 512], second].concat()).1, Err(TarError::Header { offset }));
}

#[test]
fn the_last_padding_and_the_end_blocks_may_be_missing() {
    let archive = member("f", b'0', b"body");
    for end in 516..archive.len() {
        assert_eq!(one(&archive[..end]).1, b"body");
    }
}

#[test]
fn an_end_inside_a_body_or_a_header_is_truncation() {
    let archive = [member("a", b'0', b"body"), member("b", b'0', b"")].concat();
    assert_eq!(read(&archive[..514]).1, Err(TarError::Truncated { path: "a".into(), missing: 2 }));
    assert_eq!(read(&archive[..1030]).1, Err(TarError::Truncated { path: "a tar header".into(), missing: 506 }));
    let unread = Tar::new(&archive[..514]).next_member();
    assert!(unread.is_ok_and(|member| member.is_some()));
    let alone = pax(&[("path", "x")]);
    assert!(matches!(read(&alone).1, Err(TarError::Truncated { .. })));
}

#[test]
fn nothing_follows_an_error() {
    let mut tar = Tar::new(&[b'a'; 2000][..]);
    assert!(tar.next_member().is_err());
    assert_eq!(tar.next_member(), Ok(None));
    assert_eq!(tar.body(), Ok(&[][..]));
}

/// `abc` at 2, `de` at 8, 12 bytes in all.
const SPARSE: &[u8] = b"\0\0abc\0\0\0de\0\0";

#[test]
fn sparse_files_of_pax_0_0_and_0_1() {
    let zero = pax(&[
        ("GNU.sparse.size", "12"),
        ("GNU.sparse.numblocks", "2"),
        ("GNU.sparse.offset", "2"),
        ("GNU.sparse.numbytes", "3"),
        ("GNU.sparse.offset", "8"),
        ("GNU.sparse.numbytes", "2"),
    ]);
    let one_ = pax(&[("GNU.sparse.size", "12"), ("GNU.sparse.map", "2,3,8,2,12,0"), ("GNU.sparse.name", "real")]);
    for (records, name) in [(zero, "f"), (one_, "real")] {
        let (member, body) = one(&[records, member("f", b'0', b"abcde")].concat());
        assert_eq!((member.path.as_slice(), member.size, body.as_slice()), (name.as_bytes(), 12, SPARSE));
    }
}

#[test]
fn a_sparse_file_of_pax_1_0_has_its_map_in_the_body() {
    let records =
        pax(&[("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.name", "real"), ("GNU.sparse.realsize", "12")]);
    let body = [padded(b"2\n2\n3\n8\n2\n"), b"abcde".to_vec()].concat();
    let (members, end) = read(&[records, member("GNUSparseFile.1/f", b'0', &body), member("next", b'0', b"")].concat());
    assert_eq!((end, names(&members)), (Ok(()), vec!["real".into(), "next".into()]));
    assert_eq!((members[0].0.size, members[0].1.as_slice()), (12, SPARSE));
}

fn old_sparse(extents: &[(u64, u64)], size: u64, stored: u64) -> Vec<u8> {
    let table =
        |extents: &[(u64, u64)]| extents.iter().map(|(at, length)| format!("{at:011o}\0{length:011o}\0")).collect::<String>();
    let (head, rest) = extents.split_at(extents.len().min(4));
    let mut block = Block::new("s", b'S', stored);
    block.set(257, b"ustar  \0").set(386, table(head).as_bytes()).set(483, format!("{size:011o}\0").as_bytes());
    block.set(482, &[u8::from(!rest.is_empty())]);
    let mut archive = block.seal();
    for (index, chunk) in rest.chunks(21).enumerate() {
        let mut extension = Block([0; 512]);
        extension.set(0, table(chunk).as_bytes()).set(504, &[u8::from((index + 1) * 21 < rest.len())]);
        archive.extend(extension.0);
    }
    archive
}

#[test]
fn an_old_gnu_sparse_file_goes_on_in_further_headers() {
    let archive = [old_sparse(&[(2, 3), (8, 2)], 12, 5), padded(b"abcde"), member("next", b'0', b"")].concat();
    let (members, end) = read(&archive);
    assert_eq!((end, members[0].0.size, members[0].1.as_slice(), members.len()), (Ok(()), 12, SPARSE, 2));
    let extents: Vec<_> = (0..60).map(|index| (index * 2, 1)).collect();
    let (member, body) = one(&[old_sparse(&extents, 120, 60), padded(&[7; 60])].concat());
    assert_eq!((member.size, body), (120, [7, 0].repeat(60)));
}

#[test]
fn maps_that_make_no_sense_are_refused() {
    let bad = |extents: &[(u64, u64)], size, stored| read(&[old_sparse(extents, size, stored), vec![1; 1024]].concat()).1;
    let refused = Err(TarError::Field { field: "sparse map", offset: 0 });
    assert_eq!(bad(&[(8, 2), (2, 3)], 12, 5), refused);
    assert_eq!(bad(&[(2, 3), (4, 2)], 12, 5), refused);
    assert_eq!(bad(&[(2, 3), (8, 2)], 9, 5), refused);
    assert_eq!(bad(&[(2, 3)], 12, 5), refused);
}

#[test]
fn a_hole_of_64_gib_costs_nothing_unless_it_is_read() {
    let size = 64 << 30;
    let hole = [old_sparse(&[(0, 4), (size, 0)], 1 << 30, 4)].concat();
    assert!(read(&[hole, padded(b"head")].concat()).1.is_err());
    let mut block = Block::new("s", b'S', 4);
    block.set(386, b"00000000000\x0000000000004\0").set(483, &[0x80, 0, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0]);
    let archive = [block.seal(), padded(b"head"), member("next", b'0', b"")].concat();
    let mut tar = Tar::new(archive.as_slice());
    assert_eq!(tar.next_member().unwrap().unwrap().size, size);
    assert_eq!(tar.body(), Ok(&b"head"[..]));
    assert!(tar.body().unwrap().iter().all(|byte| *byte == 0));
    assert_eq!(tar.next_member().unwrap().unwrap().path, b"next");
}

#[test]
fn holes_without_end_stop_the_reader() {
    let mut block = Block::new("s", b'S', 0);
    block.set(483, &[0x80, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    let archive = block.seal();
    let mut tar = Tar::new(archive.as_slice());
    assert_eq!(tar.next_member().unwrap().unwrap().size, i64::MAX.unsigned_abs());
    let error = (0..8 << 20).find_map(|_| tar.body().err());
    assert!(matches!(error, Some(TarError::Field { .. })));
}

#[derive(Debug, Clone)]
struct Written {
    path: String,
    body: Vec<u8>,
    mode: u32,
    id: u32,
}

fn written() -> impl Strategy<Value = Written> {
    let body = prop::collection::vec(any::<u8>(), 0..1500);
    ("[a-z]{1,60}(/[a-z]{1,60}){0,4}", body, 0..0o7777_u32, 0..1_u32 << 21).prop_map(|(path, body, mode, id)| Written {
        path,
        body,
        mode,
        id,
    })
}

/// Writes with the `tar` crate: as GNU, with PAX records for what does not fit, or as ustar.
fn write(members: &[Written], format: u8) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for Written { path, body, mode, id } in members {
        let mut header = if format == 0 { tar::Header::new_gnu() } else { tar::Header::new_ustar() };
        header.set_mode(*mode);
        header.set_uid(u64::from(*id));
        header.set_gid(u64::from(*id));
        header.set_size(body.len() as u64);
        if format == 1 {
            archive.append_pax_extensions([("path", path.as_bytes())]).unwrap();
            header.set_path("short").unwrap();
        } else if format == 2 {
            // A refused name leaves half of itself behind.
            let fits = header.clone().set_path(path).is_ok();
            header.set_path(if fits { path } else { "short" }).unwrap();
        }
        if format == 0 {
            archive.append_data(&mut header, path, body.as_slice()).unwrap();
        } else {
            header.set_cksum();
            archive.append(&header, body.as_slice()).unwrap();
        }
    }
    archive.into_inner().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_another_writer_wrote_is_read(members in prop::collection::vec(written(), 0..6), format in 0..3_u8) {
        let archive = write(&members, format);
        let (listed, end) = read(&archive);
        prop_assert_eq!(end, Ok(()));
        prop_assert_eq!(listed.len(), members.len());
        for ((member, body), written) in listed.iter().zip(&members) {
            if format < 2 || member.path != b"short" {
                prop_assert_eq!(&member.path, written.path.as_bytes());
            }
            prop_assert_eq!(body, &written.body);
            prop_assert_eq!((member.mode, member.uid, member.gid), (written.mode, written.id, written.id));
        }
    }

    #[test]
    fn never_panics(mut bytes: Vec<u8>, flag: u8, size in 0..4000_u64) {
        bytes.splice(..0, Block::new("name", flag, size).seal());
        let (listed, _) = read(&bytes);
        prop_assert!(listed.len() <= bytes.len() / 512);
    }

    #[test]
    fn never_panics_on_headers_with_a_right_checksum(noise in prop::collection::vec(any::<u8>(), 512), flag in 0..12_usize) {
        let mut block = Block(noise.try_into().unwrap());
        block.set(156, &[b"017SxLKg5123"[flag]]).set(124, b"00000001000\0").set(100, b"0000644\x000000000\x000000000\0");
        let (listed, _) = read(&[block.seal(), vec![b'1'; 600]].concat());
        prop_assert!(listed.len() <= 2);
    }
}

proptest! {
    // Each case reads one archive thousands of times.
    #![proptest_config(ProptestConfig::with_cases(6))]

    #[test]
    fn a_truncated_archive_is_a_clean_prefix(members in prop::collection::vec(written(), 1..3), format in 0..3_u8) {
        let archive = write(&members, format);
        let (whole, _) = read(&archive);
        for end in 0..archive.len() {
            let (listed, error) = read(&archive[..end]);
            prop_assert!(matches!(error, Ok(()) | Err(TarError::Truncated { .. })), "{end}: {error:?}");
            prop_assert_eq!(listed.as_slice(), &whole[..listed.len()]);
        }
    }
}

#[test]
fn bodies_can_be_passed_over_and_found_again() {
    let long = "x".repeat(200);
    let mut writer = tar::Builder::new(Vec::new());
    for (name, body) in [("small", vec![1; 10]), (long.as_str(), vec![2; 700_000]), ("last", vec![3; 600])] {
        let mut header = tar::Header::new_gnu();
        header.set_size(body.len() as u64);
        writer.append_data(&mut header, name, &*body).unwrap();
    }
    let bytes = writer.into_inner().unwrap();
    let mut tar = Tar::new(std::io::Cursor::new(&bytes));
    let mut found = Vec::new();
    while let Some(member) = tar.next_member().unwrap() {
        let range = tar.skip_body().unwrap();
        assert_eq!(tar.body().unwrap(), b"", "nothing is left");
        found.push((member.path.len(), bytes[range.start as usize..range.end as usize].to_vec()));
    }
    assert_eq!(found, [(5, vec![1; 10]), (200, vec![2; 700_000]), (4, vec![3; 600])]);
}
