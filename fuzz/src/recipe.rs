//! Images that are nearly right: most of what matters of a start happens only in such.

use std::collections::BTreeMap;

use arbitrary::{Arbitrary, Result, Unstructured};
use enoexec::base::Digest;
use serde_json::json;

/// Words of paths, commands and scripts.
const WORDS: &[&str] = &[
    "/app",
    "/bin/sh",
    "/bin/busybox",
    "/usr/bin/env",
    "/usr/bin/python3",
    "/lib/ld-musl-x86_64.so.1",
    "/lib64/ld-linux-x86-64.so.2",
    "/lib/ld-linux-aarch64.so.1",
    "/lib/libc.so.6",
    "libc.so.6",
    "libz.so.1",
    "/usr/lib",
    "/lib",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.preload",
    "/etc/passwd",
    "/etc/group",
    "/etc/ld-musl-x86_64.path",
    "/entrypoint.sh",
    "./run",
    "../x",
    "tini",
    "--",
    "-c",
    "exec \"$@\"",
    "$ORIGIN/../lib",
    "$LIB",
    "${PLATFORM}",
    "/usr/lib/python3/dist-packages/x.so",
    "package.json",
    "/proc/self/exe",
    "/usr/lib/x86_64-linux-gnu/libc.so.6",
    "if [ \"$(uname -m)\" = x86_64 ]; then",
    "fi",
    "gosu",
    "nobody",
    "\u{1b}[31m",
    "a\nb",
    "*",
    "",
];

const MACHINES: &[u16] = &[3, 8, 20, 21, 22, 40, 62, 183, 243, 258, 0, 0xffff];

/// One of the words, or any text.
struct Word(String);

impl<'a> Arbitrary<'a> for Word {
    fn arbitrary(bytes: &mut Unstructured<'a>) -> Result<Self> {
        let is_known = bytes.ratio(7_u8, 8_u8)?;
        Ok(Self(if is_known { (*bytes.choose(WORDS)?).to_owned() } else { String::arbitrary(bytes)? }))
    }
}

#[derive(Arbitrary)]
pub struct Image {
    layers: Vec<Vec<File>>,
    entrypoint: Option<Vec<Word>>,
    cmd: Vec<Word>,
    env: Vec<(Word, Word)>,
    user: Word,
    folder: Word,
    is_arm: bool,
}

#[derive(Arbitrary)]
struct File {
    path: Word,
    below: Option<Word>,
    mode: u16,
    content: Content,
}

#[derive(Arbitrary)]
enum Content {
    Directory,
    Symlink(Word),
    Hardlink(Word),
    Whiteout,
    Opaque,
    Fifo,
    Bytes(Vec<u8>),
    Script { interpreter: Word, argument: Option<Word>, lines: Vec<Vec<Word>> },
    Elf(Box<Elf>),
}

#[derive(Arbitrary)]
struct Elf {
    machine: u8,
    wide: bool,
    big: bool,
    kind: u16,
    flags: u32,
    interpreter: Option<Word>,
    needed: Vec<Word>,
    name: Option<Word>,
    paths: [Option<Word>; 2],
    loader: Option<bool>,
    /// Bytes that are not as they should be: where, and what.
    broken: Vec<(u16, u8)>,
}

impl Image {
    /// Its index, and its other blobs by digest.
    pub fn documents(&self) -> (Vec<u8>, BTreeMap<String, Vec<u8>>) {
        let mut blobs = BTreeMap::new();
        let mut keep = |bytes: Vec<u8>, media_type: &str| {
            let digest = Digest::of(&bytes).to_string();
            let descriptor = json!({"mediaType": media_type, "digest": digest, "size": bytes.len()});
            blobs.insert(digest, bytes);
            descriptor
        };
        let packed: Vec<Vec<u8>> = self.layers.iter().take(4).map(|files| packed(files)).collect();
        let diff_ids: Vec<String> = packed.iter().map(|layer| Digest::of(layer).to_string()).collect();
        let layer = "application/vnd.oci.image.layer.v1.tar";
        let layers: Vec<_> = packed.into_iter().map(|bytes| keep(bytes, layer)).collect();
        let words = |words: &[Word]| words.iter().map(|word| word.0.clone()).collect::<Vec<_>>();
        let env: Vec<String> = self.env.iter().map(|(name, value)| format!("{}={}", name.0, value.0)).collect();
        let config = json!({
            "os": "linux", "architecture": if self.is_arm { "arm64" } else { "amd64" },
            "config": {
                "Entrypoint": self.entrypoint.as_deref().map(words), "Cmd": words(&self.cmd), "Env": env,
                "User": self.user.0, "WorkingDir": self.folder.0,
            },
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
            "history": self.cmd.iter().map(|word| json!({"created_by": word.0})).collect::<Vec<_>>(),
        });
        let config = keep(config.to_string().into_bytes(), "application/vnd.oci.image.config.v1+json");
        let manifest = "application/vnd.oci.image.manifest.v1+json";
        let document = json!({"schemaVersion": 2, "mediaType": manifest, "config": config, "layers": layers});
        let entry = keep(document.to_string().into_bytes(), manifest);
        (json!({"schemaVersion": 2, "manifests": [entry]}).to_string().into_bytes(), blobs)
    }
}

fn packed(files: &[File]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for file in files.iter().take(40) {
        // What the writer refuses (names with NUL, empty ones) is left out.
        let _ = file.append(&mut archive);
    }
    archive.into_inner().unwrap_or_default()
}

impl File {
    fn append(&self, archive: &mut tar::Builder<Vec<u8>>) -> std::io::Result<()> {
        let below = self.below.as_ref().map(|word| format!("/{}", word.0)).unwrap_or_default();
        let path = format!("{}{below}", self.path.0).trim_start_matches('/').replace("..", "");
        let beside = |name: String| path.rsplit_once('/').map_or(name.clone(), |(folder, _)| format!("{folder}/{name}"));
        let mut header = tar::Header::new_gnu();
        header.set_mode(u32::from(self.mode) & 0o7777 | 0o111);
        let bytes = match &self.content {
            Content::Symlink(target) | Content::Hardlink(target) => {
                let is_symbolic = matches!(self.content, Content::Symlink(_));
                header.set_entry_type(if is_symbolic { tar::EntryType::Symlink } else { tar::EntryType::Link });
                header.set_size(0);
                return archive.append_link(&mut header, path, &target.0);
            }
            Content::Directory | Content::Fifo => {
                let is_folder = matches!(self.content, Content::Directory);
                header.set_entry_type(if is_folder { tar::EntryType::Directory } else { tar::EntryType::Fifo });
                Vec::new()
            }
            Content::Whiteout => {
                let name = path.rsplit('/').next().unwrap_or_default();
                header.set_size(0);
                return archive.append_data(&mut header, beside(format!(".wh.{name}")), &b""[..]);
            }
            Content::Opaque => {
                header.set_size(0);
                return archive.append_data(&mut header, beside(".wh..wh..opq".to_owned()), &b""[..]);
            }
            Content::Bytes(bytes) => bytes.clone(),
            Content::Script { interpreter, argument, lines } => script(interpreter, argument.as_ref(), lines).into_bytes(),
            Content::Elf(elf) => elf.bytes(),
        };
        header.set_size(bytes.len() as u64);
        archive.append_data(&mut header, path, bytes.as_slice())
    }
}

fn script(interpreter: &Word, argument: Option<&Word>, lines: &[Vec<Word>]) -> String {
    let argument = argument.map(|word| format!(" {}", word.0)).unwrap_or_default();
    let lines = lines.iter().map(|line| line.iter().map(|word| word.0.as_str()).collect::<Vec<_>>().join(" "));
    std::iter::once(format!("#!{}{argument}", interpreter.0)).chain(lines).collect::<Vec<_>>().join("\n")
}

impl Elf {
    fn bytes(&self) -> Vec<u8> {
        let text = |word: &Option<Word>| word.as_ref().map(|word| word.0.replace('\0', ""));
        let loader = self.loader.map(|is_glibc| if is_glibc { "glibc" } else { "musl" }.to_owned());
        let mut bytes = elf::build(&elf::ElfRecipe {
            machine: MACHINES[usize::from(self.machine) % MACHINES.len()],
            wide: self.wide,
            big: self.big,
            kind: 2 + self.kind % 2,
            flags: self.flags,
            interp: text(&self.interpreter),
            needed: self.needed.iter().take(8).map(|word| word.0.replace('\0', "")).collect(),
            soname: text(&self.name),
            rpath: text(&self.paths[0]),
            runpath: text(&self.paths[1]),
            loader,
            ..elf::ElfRecipe::default()
        });
        for (at, value) in &self.broken {
            let length = bytes.len();
            if let Some(byte) = bytes.get_mut(usize::from(*at) % length) {
                *byte = *value;
            }
        }
        bytes
    }
}

#[allow(dead_code, clippy::indexing_slicing, reason = "the tests use the rest")]
#[path = "../../tests/recipe/elf.rs"]
mod elf;
