use super::TarError;

/// Everything in a tar is padded to this, bytes.
pub(super) const BLOCK: u64 = 512;

/// The fields of one header block that matter here (POSIX.1-2017, pax, "ustar Interchange Format"; GNU tar, `tar.h`).
pub(super) struct Header {
    pub(super) path: Vec<u8>,
    pub(super) link: Vec<u8>,
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) size: u64,
    pub(super) flag: u8,
    pub(super) major: u32,
    pub(super) minor: u32,
}

impl Header {
    pub(super) fn parse(block: &[u8], offset: u64) -> Result<Self, TarError> {
        if !checksum_fits(block) {
            return Err(TarError::Header { offset });
        }
        let field = |field, at, length| number(slice(block, at, length)).ok_or(TarError::Field { field, offset });
        let size = u64::try_from(field("size", 124, 12)?).map_err(|_| TarError::Field { field: "size", offset })?;
        let flag = slice(block, 156, 1).first().copied().unwrap_or(0);
        let is_device = matches!(flag, b'3' | b'4');
        let device = |at| if is_device { field("device number", at, 8) } else { Ok(0) };
        Ok(Self {
            path: path(block),
            link: until_nul(slice(block, 157, 100)).to_vec(),
            mode: saturate(field("mode", 100, 8)?),
            uid: saturate(field("owner", 108, 8)?),
            gid: saturate(field("group", 116, 8)?),
            size,
            flag,
            major: saturate(device(329)?),
            minor: saturate(device(337)?),
        })
    }
}

/// The name, behind its prefix where the header's format has one: ustar does, star's is shorter, GNU and 1979's have none.
fn path(block: &[u8]) -> Vec<u8> {
    let name = until_nul(slice(block, 0, 100));
    let prefix = match (slice(block, 257, 6), slice(block, 508, 4)) {
        (b"ustar\0", b"tar\0") => until_nul(slice(block, 345, 131)),
        (b"ustar\0", _) => until_nul(slice(block, 345, 155)),
        _ => &[],
    };
    if prefix.is_empty() { name.to_vec() } else { [prefix, b"/", name].concat() }
}

/// The sum of all bytes, those of the sum itself taken as spaces. Some old writers summed signed bytes.
fn checksum_fits(block: &[u8]) -> bool {
    let Some(expected) = number(slice(block, 148, 8)) else { return false };
    let counted = || block.iter().enumerate().map(|(at, byte)| if (148..156).contains(&at) { b' ' } else { *byte });
    let unsigned: i64 = counted().map(i64::from).sum();
    let signed: i64 = counted().map(|byte| i64::from(byte.cast_signed())).sum();
    expected == unsigned || expected == signed
}

/// A number: octal digits between spaces and NULs, or GNU's base 256 where the first bit is set. Empty is 0.
pub(super) fn number(field: &[u8]) -> Option<i64> {
    if field.first().is_some_and(|first| first & 0x80 != 0) {
        return base_256(field);
    }
    let blank = |byte: &u8| matches!(byte, b' ' | 0);
    let start = field.iter().position(|byte| !blank(byte)).unwrap_or(field.len());
    let digits = field.get(start..)?.split(blank).next()?;
    digits.iter().try_fold(0_i64, |value, digit| match digit {
        b'0'..=b'7' => value.checked_mul(8)?.checked_add(i64::from(digit - b'0')),
        _ => None,
    })
}

/// Two's complement, big-endian; the first bit only marks the format, the second is the sign.
fn base_256(field: &[u8]) -> Option<i64> {
    let (first, rest) = field.split_first()?;
    let negative = first & 0x40 != 0;
    let first = i64::from(first & 0x3f) - if negative { 0x40 } else { 0 };
    rest.iter().try_fold(first, |value, byte| value.checked_mul(256)?.checked_add(i64::from(*byte)))
}

/// Modes, owners and device numbers beyond 32 bits name nothing that Linux has.
fn saturate(value: i64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

pub(super) fn slice(block: &[u8], at: usize, length: usize) -> &[u8] {
    block.get(at..at.saturating_add(length)).unwrap_or_default()
}

pub(super) fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_in_all_their_spellings() {
        assert_eq!(number(b"0000644\0"), Some(0o644));
        assert_eq!(number(b"   644 \0"), Some(0o644));
        assert_eq!(number(b"77777777"), Some(0o77_777_777));
        assert_eq!(number(b"\0\0\0\0"), Some(0));
        assert_eq!(number(b""), Some(0));
        assert_eq!(number(b"12x"), None);
        assert_eq!(number(b"-12"), None);
        assert_eq!(number(b"999"), None);
    }

    #[test]
    fn base_256_has_a_sign_and_a_limit() {
        assert_eq!(number(b"\x80\0\0\x01\0"), Some(256));
        assert_eq!(number(b"\xff\xff\xff\xff"), Some(-1));
        assert_eq!(number(b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff"), Some(i64::MAX));
        assert_eq!(number(b"\x80\0\0\0\x80\0\0\0\0\0\0\0"), None);
    }
}
