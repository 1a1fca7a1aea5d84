//! The machine that this runs on: what its kernel says of itself, and what it starts when it is asked to.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::format::compress::{Ratio, decompress};
use crate::format::elf::{TINY_PROGRAMS, TinyProgram};

/// Files of the kernel larger than this, in bytes, are not read whole.
const LARGEST: u64 = 4 << 20;

/// A program that only exits takes no longer, also under emulation on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the kernel says, word for word; what it does not say is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Host {
    /// `uname -n`.
    pub name: String,
    /// `uname -m`.
    pub machine: String,
    /// `uname -r`.
    pub release: String,
    /// Bytes of a memory page.
    pub page_size: u64,
    /// `/proc/cpuinfo`.
    pub cpuinfo: String,
    /// The kernel's configuration (`/proc/config.gz`, `/boot/config-RELEASE`), where it is to be had.
    pub config: Option<String>,
    /// `/proc/cmdline`.
    pub command_line: String,
    /// `/proc/sys/fs/binfmt_misc/status`; `None` where nothing is mounted there.
    pub binfmt_status: Option<String>,
    /// The handlers below it: their names and what the kernel shows of them, as the directory lists them.
    pub handlers: Vec<(String, String)>,
}

/// What became of a program that only exits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    /// It ran.
    Ran,
    /// The kernel refused it (ENOEXEC).
    Refused,
    /// It was started, and did not end as it should: an emulator that is broken or missing, or a CPU that lacks something.
    Failed,
}

/// Reads what the kernel says.
pub fn host() -> Host {
    let uname = rustix::system::uname();
    let release = uname.release().to_string_lossy().into_owned();
    let misc = Path::new("/proc/sys/fs/binfmt_misc");
    let binfmt_status = read(&misc.join("status")).ok();
    let handlers = if binfmt_status.is_some() { handlers(misc) } else { Vec::new() };
    Host {
        name: uname.nodename().to_string_lossy().into_owned(),
        machine: uname.machine().to_string_lossy().into_owned(),
        page_size: rustix::param::page_size() as u64,
        cpuinfo: read(Path::new("/proc/cpuinfo")).unwrap_or_default(),
        config: config(&release),
        command_line: read(Path::new("/proc/cmdline")).unwrap_or_default(),
        binfmt_status,
        handlers,
        release,
    }
}

fn read(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LARGEST).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn config(release: &str) -> Option<String> {
    let unpacked = |path: &Path| {
        let mut text = Vec::new();
        let (_, reader) = decompress(BufReader::new(File::open(path)?), Ratio::default())?;
        reader.take(LARGEST).read_to_end(&mut text)?;
        Ok::<_, io::Error>(String::from_utf8_lossy(&text).into_owned())
    };
    let of_release = PathBuf::from(format!("/boot/config-{release}"));
    unpacked(Path::new("/proc/config.gz")).or_else(|_| unpacked(&of_release)).ok()
}

fn handlers(directory: &Path) -> Vec<(String, String)> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names
        .filter(|name| name != "register" && name != "status")
        .filter_map(|name| Some((name.clone(), read(&directory.join(name)).ok()?)))
        .collect()
}

/// Starts a program of each instruction set that only exits, from a directory of its own that is removed again, with no environment,
/// no input and no output.
///
/// # Errors
/// The directory for temporary files cannot be written to, or nothing in it may be executed.
pub fn probe() -> io::Result<Vec<(TinyProgram, Probe)>> {
    let directory = tempfile::Builder::new().prefix("enoexec-probe-").tempdir()?;
    TINY_PROGRAMS.iter().map(|program| Ok((*program, start(program, directory.path())?))).collect()
}

fn start(program: &TinyProgram, directory: &Path) -> io::Result<Probe> {
    let path = directory.join(program.name);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o700).open(&path)?;
    file.write_all(&program.bytes())?;
    drop(file);
    let mut command = Command::new(&path);
    command.env_clear().current_dir(directory).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) if error.raw_os_error() == Some(ENOEXEC) => return Ok(Probe::Refused),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let place = directory.parent().unwrap_or(directory).display();
            return Err(io::Error::other(format!(
                "nothing may be executed in {place} ({error}): name another directory with TMPDIR"
            )));
        }
        // The emulator is missing, or for another machine.
        Err(_) => return Ok(Probe::Failed),
    };
    let began = Instant::now();
    loop {
        match child.try_wait()? {
            Some(status) => return Ok(if status.success() { Probe::Ran } else { Probe::Failed }),
            None if began.elapsed() > PATIENCE => {
                child.kill()?;
                child.wait()?;
                return Ok(Probe::Failed);
            }
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    }
}

/// The same on every architecture of Linux (`include/uapi/asm-generic/errno-base.h`).
const ENOEXEC: i32 = 8;
