//! Compression, told by the first bytes and never by what a document claims.

use std::io::{self, BufRead, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::GzDecoder;

/// The largest window that a zstd frame may ask for, as a power of two: 128 MiB, the limit that zstd's own tools and containerd's
/// decoder have (`ZSTD_WINDOWLOG_LIMIT_DEFAULT`).
const WINDOW_LOG: u32 = 27;

/// Bytes that [`Compression::sniff`] needs at most.
const SNIFFED: usize = 6;

/// How a stream is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip, of one or more members.
    Gzip,
    /// Zstandard, of one or more frames, also skippable ones.
    Zstd,
    /// xz, which no image specification allows and this tool does not read.
    Xz,
    /// bzip2, likewise.
    Bzip2,
}

impl Compression {
    /// Tells it from the first bytes; six are enough.
    pub fn sniff(head: &[u8]) -> Self {
        match head {
            // RFC 1952, 2.3.1: the magic and the one method there is.
            [0x1f, 0x8b, 8, ..] => Self::Gzip,
            // RFC 8878, 3.1.1 and 3.1.2: a frame, or a skippable frame before it (pzstd and zstd:chunked write such).
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            // The level, then the start of the first block's magic (π) or of the end's (√π): a file named BZh… begins a tar too.
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, ..] | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, ..] => Self::Bzip2,
            _ => Self::None,
        }
    }
}

/// How far a stream may unpack: some megabytes can be made to unpack to more than anyone has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ratio {
    /// How many times its stored bytes.
    pub times: u64,
    /// Unpacked bytes up to which this does not count: files of zeros are common, and quickly read.
    pub from: u64,
}

impl Default for Ratio {
    fn default() -> Self {
        Self { times: 250, from: 16 << 30 }
    }
}

/// Gives the uncompressed bytes of `input`, whatever its compression, and says which it was; an error of the kind
/// [`io::ErrorKind::FileTooLarge`] ends them where they are more than the [`Ratio`] allows.
///
/// What follows the last gzip member and is not another one (padding, garbage) is left unread, as gzip does. Give the answer
/// large reads: nothing is buffered after decompression.
///
/// # Errors
/// The first bytes could not be read, or the compression is one that is not read here ([`io::ErrorKind::Unsupported`]).
pub fn decompress<'a, R: BufRead + Send + 'a>(input: R, ratio: Ratio) -> io::Result<(Compression, Box<dyn Read + Send + 'a>)> {
    let stored = Arc::new(AtomicU64::new(0));
    let mut input = Peek::new(Counted { inner: input, count: stored.clone() });
    let compression = Compression::sniff(input.peek(SNIFFED)?);
    let stream: Box<dyn Read + Send + 'a> = match compression {
        Compression::None => Box::new(input),
        Compression::Gzip => {
            let inner = Gzip { member: Some(GzDecoder::new(input)) };
            Box::new(Bounded { inner, unpacked: 0, stored, ratio })
        }
        Compression::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(input)?;
            decoder.window_log_max(WINDOW_LOG)?;
            Box::new(Bounded { inner: decoder, unpacked: 0, stored, ratio })
        }
        Compression::Xz => return Err(unsupported("xz")),
        Compression::Bzip2 => return Err(unsupported("bzip2")),
    };
    Ok((compression, stream))
}

fn unsupported(name: &str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, format!("unsupported compression {name}"))
}

/// gzip members one after the other. flate2's own reader of several members refuses what may follow the last.
struct Gzip<R> {
    /// `None` after the last member.
    member: Option<GzDecoder<Peek<R>>>,
}

impl<R: BufRead> Read for Gzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let count = member.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            self.member = self.member.take().map(GzDecoder::into_inner).map(next_member).transpose()?.flatten();
        }
        Ok(0)
    }
}

/// The decoder of a further member; `None` if what follows is none. Zeros between members are padding (tapes, `dd`).
fn next_member<R: BufRead>(mut input: Peek<R>) -> io::Result<Option<GzDecoder<Peek<R>>>> {
    loop {
        let bytes = input.fill_buf()?;
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        if zeros == 0 {
            break;
        }
        input.consume(zeros);
    }
    let is_member = Compression::sniff(input.peek(SNIFFED)?) == Compression::Gzip;
    Ok(is_member.then(|| GzDecoder::new(input)))
}

/// Stored bytes that are counted as they are used.
struct Counted<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.count.fetch_add(count as u64, Ordering::Relaxed);
        self.inner.consume(count);
    }
}

/// Unpacked bytes that are held against the stored ones.
struct Bounded<R> {
    inner: R,
    unpacked: u64,
    stored: Arc<AtomicU64>,
    ratio: Ratio,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.unpacked = self.unpacked.saturating_add(count as u64);
        let Ratio { times, from } = self.ratio;
        if self.unpacked > from && self.stored.load(Ordering::Relaxed).saturating_mul(times) < self.unpacked {
            let text = format!("more than {times} times as many bytes as are stored");
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, text));
        }
        Ok(count)
    }
}

/// Looks ahead by a few bytes, also across the buffer's end, and gives them again.
struct Peek<R> {
    inner: R,
    /// Bytes that were looked at but not consumed.
    ahead: Vec<u8>,
}

impl<R: BufRead> Peek<R> {
    fn new(inner: R) -> Self {
        Self { inner, ahead: Vec::with_capacity(SNIFFED) }
    }

    /// The next `count` bytes; fewer at the end.
    fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        let missing = count.saturating_sub(self.ahead.len());
        self.inner.by_ref().take(missing as u64).read_to_end(&mut self.ahead)?;
        Ok(&self.ahead)
    }
}

impl<R: BufRead> Read for Peek<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ahead.is_empty() {
            return self.inner.read(buffer);
        }
        let count = self.ahead.as_slice().read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Peek<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.ahead.is_empty() { self.inner.fill_buf() } else { Ok(&self.ahead) }
    }

    fn consume(&mut self, count: usize) {
        if self.ahead.is_empty() {
            self.inner.consume(count);
        } else {
            self.ahead.drain(..count.min(self.ahead.len()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, BufReader, Read, Write};

    use proptest::prelude::*;

    use super::{Compression, Ratio, decompress};

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        zstd::encode_all(bytes, 1).unwrap()
    }

    fn skippable(kind: u8, content: &[u8]) -> Vec<u8> {
        let mut frame = vec![0x50 | kind, 0x2a, 0x4d, 0x18];
        frame.extend(u32::try_from(content.len()).unwrap().to_le_bytes());
        frame.extend(content);
        frame
    }

    /// With a buffer of three bytes, so that everything lies across its end.
    fn read(bytes: &[u8]) -> io::Result<(Compression, Vec<u8>)> {
        let (compression, stream) = decompress(BufReader::with_capacity(3, bytes), Ratio::default())?;
        let mut output = Vec::new();
        stream.take(1 << 20).read_to_end(&mut output)?;
        Ok((compression, output))
    }

    #[test]
    fn all_members_of_gzip_are_read() {
        let members = [gzip(b"one, "), gzip(b""), gzip(b"two")].concat();
        assert_eq!(read(&members).unwrap(), (Compression::Gzip, b"one, two".to_vec()));
    }

    #[test]
    fn what_follows_the_last_gzip_member_is_ignored() {
        for tail in [&[0_u8; 700][..], b"garbage", b"\x1f", b"\x1f\x8b", b"\0\0\0trailing"] {
            assert_eq!(read(&[&gzip(b"body"), tail].concat()).unwrap().1, b"body");
        }
        assert_eq!(read(&[gzip(b"a"), vec![0; 9], gzip(b"b")].concat()).unwrap().1, b"ab");
    }

    #[test]
    fn a_broken_gzip_is_an_error() {
        let whole = [gzip(b"first"), gzip(b"second")].concat();
        for end in [8, whole.len() - 1, gzip(b"first").len() + 12] {
            assert!(read(&whole[..end]).is_err(), "{end}");
        }
        let mut wrong_sum = gzip(b"first");
        let sum = wrong_sum.len() - 8;
        wrong_sum[sum] ^= 1;
        assert!(read(&wrong_sum).is_err());
    }

    #[test]
    fn frames_of_zstd_are_read_and_skippable_ones_skipped() {
        let frames = [skippable(0, b"pzstd"), zstd(b"one, "), skippable(15, &[9; 50]), zstd(b"two"), skippable(4, b"")].concat();
        assert_eq!(read(&frames).unwrap(), (Compression::Zstd, b"one, two".to_vec()));
        assert!(read(&frames[..frames.len() - 10]).is_err());
    }

    #[test]
    fn a_zstd_window_above_128_mib_is_refused() {
        // A frame header with the window descriptor 2^28 (exponent 18), then an empty last raw block.
        let frame = |exponent: u8| [0x28, 0xb5, 0x2f, 0xfd, 0, exponent << 3, 1, 0, 0];
        assert!(read(&frame(17)).is_ok());
        assert!(read(&frame(18)).is_err());
    }

    #[test]
    fn what_unpacks_to_too_many_times_its_bytes_ends() {
        let strict = Ratio { times: 100, from: 1 << 20 };
        for bomb in [gzip(&vec![0; 4 << 20]), zstd(&vec![0; 4 << 20])] {
            let unpacked = |ratio| io::copy(&mut decompress(&*bomb, ratio).unwrap().1, &mut io::sink());
            assert_eq!(unpacked(strict).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
            assert_eq!(unpacked(Ratio { from: 8 << 20, ..strict }).unwrap(), 4 << 20);
            assert_eq!(unpacked(Ratio { times: 1 << 20, ..strict }).unwrap(), 4 << 20);
        }
    }

    #[test]
    fn plain_bytes_pass_as_they_are() {
        for plain in [&b""[..], b"P", b"usr/bin/", b"BZh9 is a file name", b"\x1f\x8b"] {
            assert_eq!(read(plain).unwrap(), (Compression::None, plain.to_vec()));
        }
    }

    #[test]
    fn xz_and_bzip2_are_refused_by_name() {
        for (head, name) in [(&b"\xfd7zXZ\0\0"[..], "xz"), (b"BZh91AY&SY", "bzip2"), (b"BZh9\x17\x72\x45", "bzip2")] {
            let error = read(head).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::Unsupported);
            assert!(error.to_string().contains(name));
        }
    }

    proptest! {
        #[test]
        fn never_panics(mut bytes: Vec<u8>, magic in 0..4_usize) {
            let magic: &[u8] = [&[][..], &[0x1f, 0x8b, 8, 0], &[0x28, 0xb5, 0x2f, 0xfd], &[0x53, 0x2a, 0x4d, 0x18]][magic];
            bytes.splice(..0, magic.iter().copied());
            let _ = read(&bytes);
        }

        #[test]
        fn what_was_compressed_comes_back(parts: Vec<Vec<u8>>) {
            let whole = parts.concat();
            let members: Vec<u8> = parts.iter().flat_map(|part| gzip(part)).collect();
            let frames: Vec<u8> = parts.iter().flat_map(|part| zstd(part)).collect();
            prop_assert_eq!(read(&members).unwrap().1, whole.clone());
            prop_assert_eq!(read(&frames).unwrap().1, whole);
        }
    }
}
