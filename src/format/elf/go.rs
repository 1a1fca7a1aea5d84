//! Go's build information (Go `debug/buildinfo`): which CPU a Go program was built for.

use std::ops::Range;

use super::GoBuild;
use super::capture::Window;

const MAGIC: &[u8] = b"\xff Go buildinf:";
/// Version and settings of a program with thousands of modules take some 100 KiB.
const MAX_INFORMATION: u64 = 512 * 1024;
/// `debug/buildinfo` frames the settings by 16 bytes before and behind.
const FRAME: usize = 16;

/// Looks for the build information in the writable segments, as they pass: linkers put it at the start of Go's own data, which
/// may come after megabytes of others'.
#[derive(Debug)]
pub(super) struct Search {
    places: Range<u64>,
    /// The last bytes seen, in which the magic may have begun.
    carried: Vec<u8>,
    found: Option<Window>,
}

impl Search {
    pub(super) fn new(places: Range<u64>) -> Self {
        Self { places, carried: Vec::new(), found: None }
    }

    pub(super) fn wants(&self, position: u64, size: u64) -> bool {
        match &self.found {
            Some(window) => window.wants(position, size),
            None => position < self.places.end.min(size),
        }
    }

    /// Takes `chunk`, which lies at `position`.
    pub(super) fn take(&mut self, position: u64, chunk: &[u8]) {
        if let Some(window) = &mut self.found {
            window.take(position, chunk);
            return;
        }
        if position.saturating_add(chunk.len() as u64) <= self.places.start || position >= self.places.end {
            return;
        }
        let carried = self.carried.len();
        let joined: Vec<u8> = [&self.carried, chunk.get(..MAGIC.len()).unwrap_or(chunk)].concat();
        let across = memchr::memmem::find(&joined, MAGIC).filter(|at| *at < carried);
        let start = position.saturating_sub(carried as u64);
        let at = across.map(|at| start + at as u64);
        if let Some(at) = at.or_else(|| memchr::memmem::find(chunk, MAGIC).map(|at| position + at as u64)) {
            let mut window = Window::new(at..at.saturating_add(MAX_INFORMATION), &[]);
            window.take(start, &self.carried);
            window.take(position, chunk);
            self.found = Some(window);
            return;
        }
        self.carried.extend_from_slice(chunk.get(chunk.len().saturating_sub(MAGIC.len())..).unwrap_or(chunk));
        self.carried.drain(..self.carried.len().saturating_sub(MAGIC.len()));
    }

    /// What was found, read.
    pub(super) fn finish(self) -> Option<GoBuild> {
        read(self.found?.bytes())
    }
}

/// Only the form with the texts inline (Go 1.18, of 2022, and later); before, they are Go strings elsewhere in the file.
fn read(bytes: &[u8]) -> Option<GoBuild> {
    let is_inline = bytes.get(15)? & 2 != 0;
    let mut rest = bytes.get(32..).filter(|_| is_inline)?;
    let version = text(&mut rest)?;
    let framed = text(&mut rest)?;
    let settings = framed.get(FRAME..framed.len().saturating_sub(FRAME)).unwrap_or_default();
    let settings = String::from_utf8_lossy(settings);
    // Which instructions, and for which machine; all else is of no use here.
    let wanted = |line: &str| {
        let (key, value) = line.strip_prefix("build\t")?.split_once('=')?;
        key.starts_with("GO").then(|| (key.to_owned(), value.to_owned()))
    };
    Some(GoBuild {
        version: String::from_utf8_lossy(version).into_owned(),
        settings: settings.lines().filter_map(wanted).take(32).collect(),
    })
}

fn text<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let mut length = 0_usize;
    for shift in (0..28).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        length |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            let (text, rest) = bytes.split_at_checked(length)?;
            *bytes = rest;
            return Some(text);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::Search;

    fn file() -> Vec<u8> {
        let text = |text: &str| [&[text.len() as u8][..], text.as_bytes()].concat();
        let frame = "0123456789abcdef";
        let settings = text(&format!("{frame}path\tx\nbuild\tGOARCH=amd64\nbuild\tvcs=git\nbuild\tGOAMD64=v3\n{frame}"));
        [vec![0; 1000], b"\xff Go buildinf:\x08\x02".to_vec(), vec![0; 16], text("go1.22.4"), settings, vec![0; 100]].concat()
    }

    #[test]
    fn the_build_information_is_found_however_the_bytes_are_cut() {
        let file = file();
        for step in [1, 7, 64, 1005, 5000] {
            let mut search = Search::new(500..file.len() as u64);
            for (number, chunk) in file.chunks(step).enumerate() {
                search.take((number * step) as u64, chunk);
            }
            let found = search.finish().unwrap();
            assert_eq!(
                (found.version.as_str(), found.setting("GOAMD64"), found.settings.len()),
                ("go1.22.4", Some("v3"), 2),
                "{step}"
            );
        }
    }

    #[test]
    fn what_is_cut_off_is_not_there() {
        let file = file();
        for length in 900..file.len() - 101 {
            let mut search = Search::new(500..file.len() as u64);
            search.take(0, &file[..length]);
            assert_eq!(search.finish(), None);
        }
    }
}
