//! What a kernel answered, and the tables that are kept of it.

use std::fs;
use std::path::Path;

use enoexec::exec::{Doubt, Outcome};
use enoexec::image::Errno;

/// How one execve ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It returned this errno.
    Errno(u16),
    /// It did not return; the process then ended with a code or by a signal.
    Exit(u8),
    Signal(u8),
}

/// A letter for each answer that is known; others are written out as `<e12>`.
const LETTERS: &[(char, Answer)] = &[
    ('.', Answer::Exit(0)),
    ('n', Answer::Errno(2)),
    ('i', Answer::Errno(5)),
    ('x', Answer::Errno(8)),
    ('a', Answer::Errno(13)),
    ('d', Answer::Errno(20)),
    ('v', Answer::Errno(22)),
    ('g', Answer::Errno(36)),
    ('o', Answer::Errno(40)),
    ('l', Answer::Errno(80)),
    ('S', Answer::Signal(11)),
    ('B', Answer::Signal(7)),
    ('I', Answer::Signal(4)),
    ('T', Answer::Signal(5)),
    ('A', Answer::Signal(14)),
    ('K', Answer::Signal(9)),
    ('F', Answer::Signal(8)),
];

const ROW: usize = 100;

impl Answer {
    /// Reads what `init.c` printed.
    pub fn read(text: &str, count: usize) -> Result<Vec<Self>, String> {
        let mut answers = vec![None; count];
        let lines = text.lines().map(|line| line.trim_end_matches('\r')).skip_while(|line| !line.ends_with("begin")).skip(1);
        for line in lines.take_while(|line| *line != "end") {
            let Some((number, answer)) = line.split_once(' ') else { continue };
            let (Ok(number), Some(answer)) = (number.parse::<usize>(), Self::parse(answer)) else { continue };
            *answers.get_mut(number).ok_or("an answer to no case")? = Some(answer);
        }
        let missing = answers.iter().filter(|answer| answer.is_none()).count();
        if missing > 0 {
            let first = answers.iter().position(Option::is_none).unwrap();
            return Err(format!("{missing} of {count} cases have no answer, the first is {first}"));
        }
        Ok(answers.into_iter().flatten().collect())
    }

    fn parse(text: &str) -> Option<Self> {
        let number = text.get(1..)?;
        match text.get(..1)? {
            "e" => number.parse().ok().map(Self::Errno),
            "x" => number.parse().ok().map(Self::Exit),
            "s" => number.parse().ok().map(Self::Signal),
            _ => None,
        }
    }

    fn shown(self) -> String {
        match (LETTERS.iter().find(|(_, answer)| *answer == self), self) {
            (Some((letter, _)), _) => letter.to_string(),
            (None, Self::Errno(number)) => format!("<e{number}>"),
            (None, Self::Exit(code)) => format!("<x{code}>"),
            (None, Self::Signal(number)) => format!("<s{number}>"),
        }
    }

    /// Whether the model says the same: an errno exactly, and of what happens after execve has not returned only that. But what it
    /// calls dead must not have ended well.
    pub fn agrees(self, outcome: &Outcome) -> bool {
        match (self, outcome) {
            (Self::Errno(number), Outcome::Fails { errno, .. }) => errno_number(*errno) == number,
            (Self::Exit(0), Outcome::Dies { .. }) => false,
            // A real loader that does not get what the program needs.
            (Self::Exit(found), Outcome::Exits { code, .. }) => u16::from(found) == u16::from(*code),
            (Self::Exit(_) | Self::Signal(_), Outcome::Unsure { because: Doubt::Truncated { .. } | Doubt::NotModelled(_) }) => {
                true
            }
            (Self::Exit(_) | Self::Signal(_), Outcome::Runs | Outcome::Dies { .. } | Outcome::Emulated { .. }) => true,
            _ => false,
        }
    }
}

/// The numbers of all architectures that are asked (`include/uapi/asm-generic/errno.h`).
fn errno_number(errno: Errno) -> u16 {
    match errno {
        Errno::EPERM => 1,
        Errno::ENOENT => 2,
        Errno::EIO => 5,
        Errno::E2BIG => 7,
        Errno::ENOEXEC => 8,
        Errno::EACCES => 13,
        Errno::ENOTDIR => 20,
        Errno::EISDIR => 21,
        Errno::EINVAL => 22,
        Errno::ETXTBSY => 26,
        Errno::ENAMETOOLONG => 36,
        Errno::ELOOP => 40,
        Errno::ELIBBAD => 80,
    }
}

/// A kernel's answers to one world.
pub struct Table {
    pub version: String,
    /// Tells the world that was asked from one that a changed generator makes.
    pub world: String,
    pub answers: Vec<Answer>,
}

impl Table {
    pub fn write(&self, path: &Path) {
        let mut text = format!("kernel {}\nworld {}\n", self.version, self.world);
        for row in self.answers.chunks(ROW) {
            text.extend(row.iter().map(|answer| answer.shown()));
            text.push('\n');
        }
        fs::write(path, text).unwrap();
    }

    pub fn load(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        let mut lines = text.lines();
        let mut field = |name: &str| lines.next().unwrap().strip_prefix(name).unwrap().trim().to_owned();
        let (version, world) = (field("kernel"), field("world"));
        let mut answers = Vec::new();
        let rows: String = lines.collect();
        let mut rest = rows.as_str();
        while let Some(letter) = rest.chars().next() {
            if let Some(written) = rest.strip_prefix('<') {
                let (answer, behind) = written.split_once('>').unwrap();
                answers.push(Answer::parse(answer).unwrap());
                rest = behind;
            } else {
                answers.push(LETTERS.iter().find(|(known, _)| *known == letter).unwrap().1);
                rest = &rest[letter.len_utf8()..];
            }
        }
        Self { version, world, answers }
    }
}
