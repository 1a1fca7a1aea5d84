//! Builds images from small readable recipes: the language of rule examples, samples and tests.
#![allow(dead_code, missing_docs, unreachable_pub, reason = "each test binary uses a part")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a wrong recipe ends the test")]

pub mod elf;

use std::fs;
use std::io::Write;
use std::path::Path;

use enoexec::base::Digest;
use serde::Deserialize;
use serde_json::{Value, json};

/// An image, or one target of several.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Recipe {
    /// The index entry's platform.
    pub index: Option<String>,
    /// The config's platform.
    pub config: Option<String>,
    pub entrypoint: Option<Vec<String>>,
    pub cmd: Option<Vec<String>>,
    pub user: String,
    pub workdir: String,
    pub env: Vec<String>,
    /// For which nodes it is checked.
    pub nodes: Vec<String>,
    /// The config's media type, of an artifact that is no image.
    pub artifact: Option<String>,
    /// Write a manifest of Docker's schema 1 instead.
    pub schema_one: bool,
    /// `config`: a config that is not JSON; `large-config`: one of more bytes than are read.
    #[serde(rename = "break")]
    pub broken: Option<String>,
    #[serde(rename = "layer")]
    pub layers: Vec<LayerRecipe>,
    /// Further images of the same index.
    pub manifest: Vec<Self>,
}

/// A layer.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LayerRecipe {
    /// The history's `created_by`.
    pub step: String,
    pub files: Vec<FileRecipe>,
    /// `digest`, `diff-id`, `truncated`, `missing`, `encrypted`, `foreign` or `xz`.
    #[serde(rename = "break")]
    pub broken: Option<String>,
}

/// A file: one of `elf`, `text`, `hex`, `empty`, `link`, `hardlink`, `dir`, `whiteout`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FileRecipe {
    pub path: String,
    pub mode: Option<u32>,
    pub elf: Option<String>,
    pub endian: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub flags: u32,
    pub interp: Option<String>,
    pub needed: Vec<String>,
    pub soname: Option<String>,
    pub rpath: Option<String>,
    pub runpath: Option<String>,
    pub needs: Vec<String>,
    pub defines: Vec<String>,
    pub loader: Option<String>,
    pub oldest_kernel: Option<String>,
    pub text: Option<String>,
    pub hex: Option<String>,
    pub empty: bool,
    pub link: Option<String>,
    pub hardlink: Option<String>,
    pub dir: bool,
    pub whiteout: bool,
}

/// A layer as bytes.
struct Packed {
    stored: Vec<u8>,
    descriptor: Value,
    diff_id: String,
    absent: bool,
}

impl Recipe {
    pub fn from_toml(table: &toml::Table) -> Self {
        table.clone().try_into().unwrap_or_else(|error| panic!("{error}\n{table:?}"))
    }

    /// Writes an OCI layout; the same bytes each time.
    pub fn write_layout(&self, folder: &Path) {
        fs::create_dir_all(folder.join("blobs/sha256")).unwrap();
        fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        let manifests: Vec<Value> = std::iter::once(self).chain(&self.manifest).map(|image| image.write_image(folder)).collect();
        let index = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": manifests});
        fs::write(folder.join("index.json"), index.to_string()).unwrap();
    }

    /// Writes an OCI layout as a tar; the same bytes each time.
    pub fn write_oci_archive(&self, file: &Path) {
        let folder = tempfile::tempdir().unwrap();
        self.write_layout(folder.path());
        let mut archive = tar::Builder::new(fs::File::create(file).unwrap());
        let mut names = vec!["index.json".to_owned(), "oci-layout".to_owned()];
        let blobs = fs::read_dir(folder.path().join("blobs/sha256")).unwrap();
        names.extend(blobs.map(|entry| format!("blobs/sha256/{}", entry.unwrap().file_name().into_string().unwrap())));
        names.sort();
        for name in names {
            let bytes = fs::read(folder.path().join(&name)).unwrap();
            append(&mut archive, &name, 0o644, tar::EntryType::Regular, &bytes);
        }
        archive.finish().unwrap();
    }

    /// Writes what `docker save` writes (before Docker 25).
    pub fn write_docker_archive(&self, file: &Path) {
        let mut archive = tar::Builder::new(fs::File::create(file).unwrap());
        let layers: Vec<Packed> = self.layers.iter().map(LayerRecipe::pack).collect();
        let mut names = Vec::new();
        for (layer, packed) in self.layers.iter().zip(&layers) {
            let name = format!("{}/layer.tar", packed.diff_id.trim_start_matches("sha256:"));
            append(&mut archive, &name, 0o644, tar::EntryType::Regular, &layer.tar());
            names.push(name);
        }
        let config = self.config_document(&layers).to_string();
        let config_name = format!("{}.json", Digest::of(config.as_bytes()).hex());
        append(&mut archive, &config_name, 0o644, tar::EntryType::Regular, config.as_bytes());
        let manifest = json!([{"Config": config_name, "RepoTags": ["recipe:latest"], "Layers": names}]);
        append(&mut archive, "manifest.json", 0o644, tar::EntryType::Regular, manifest.to_string().as_bytes());
        archive.finish().unwrap();
    }

    fn write_image(&self, folder: &Path) -> Value {
        if self.schema_one {
            let manifest = json!({"schemaVersion": 1, "name": "old", "tag": "latest", "architecture": "amd64", "fsLayers": [], "history": []});
            return blob(folder, &manifest.to_string().into_bytes(), "application/vnd.docker.distribution.manifest.v1+json");
        }
        let layers: Vec<Packed> = self.layers.iter().map(LayerRecipe::pack).collect();
        for layer in layers.iter().filter(|layer| !layer.absent) {
            let name = layer.descriptor["digest"].as_str().unwrap().replace(':', "/");
            fs::write(folder.join("blobs").join(name), &layer.stored).unwrap();
        }
        let config = match self.broken.as_deref() {
            Some("config") => b"this is not JSON".to_vec(),
            Some("large-config") => vec![b' '; 9 << 20],
            _ => self.config_document(&layers).to_string().into_bytes(),
        };
        let config_type = self.artifact.as_deref().unwrap_or("application/vnd.oci.image.config.v1+json");
        let config = blob(folder, &config, config_type);
        let descriptors: Vec<&Value> = layers.iter().map(|layer| &layer.descriptor).collect();
        let media_type = "application/vnd.oci.image.manifest.v1+json";
        let manifest = json!({"schemaVersion": 2, "mediaType": media_type, "config": config, "layers": descriptors});
        let mut entry = blob(folder, &manifest.to_string().into_bytes(), media_type);
        if let Some(platform) = &self.index {
            entry["platform"] = platform_document(platform);
        }
        entry
    }

    fn config_document(&self, layers: &[Packed]) -> Value {
        let mut document = self.config.as_deref().map_or_else(|| json!({}), platform_document);
        let run = json!({"Entrypoint": self.entrypoint, "Cmd": self.cmd, "User": self.user, "WorkingDir": self.workdir, "Env": self.env});
        document["config"] = run;
        let diff_ids: Vec<&str> = layers.iter().map(|layer| layer.diff_id.as_str()).collect();
        document["rootfs"] = json!({"type": "layers", "diff_ids": diff_ids});
        document["history"] = self.layers.iter().map(|layer| json!({"created_by": layer.step})).collect();
        document
    }
}

impl LayerRecipe {
    fn tar(&self) -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        for file in &self.files {
            file.append(&mut archive);
        }
        archive.into_inner().unwrap()
    }

    fn pack(&self) -> Packed {
        let tar = self.tar();
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(&tar).unwrap();
        let mut stored = encoder.finish().unwrap();
        let broken = self.broken.as_deref().unwrap_or_default();
        match broken {
            "truncated" => stored.truncate(stored.len() / 2),
            "xz" => stored = b"\xfd7zXZ\0\0\x04\xe6\xd6\xb4\x46".to_vec(),
            _ => {}
        }
        let media_type = match broken {
            "encrypted" => "application/vnd.oci.image.layer.v1.tar+gzip+encrypted",
            "foreign" => "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
            _ => "application/vnd.oci.image.layer.v1.tar+gzip",
        };
        let digest = if broken == "digest" { Digest::of(b"other bytes") } else { Digest::of(&stored) };
        let mut descriptor = json!({"mediaType": media_type, "digest": digest.to_string(), "size": stored.len()});
        if broken == "foreign" {
            descriptor["urls"] = json!(["https://example.com/layer"]);
        }
        let diff_id = if broken == "diff-id" { Digest::of(b"other bytes") } else { Digest::of(&tar) }.to_string();
        Packed { stored, descriptor, diff_id, absent: matches!(broken, "missing" | "foreign") }
    }
}

impl FileRecipe {
    fn append(&self, archive: &mut tar::Builder<Vec<u8>>) {
        let path = self.path.trim_start_matches('/');
        let target = self.link.as_ref().map(|target| (tar::EntryType::Symlink, target.as_str()));
        let target = target.or(self.hardlink.as_ref().map(|target| (tar::EntryType::Link, target.trim_start_matches('/'))));
        if let Some((kind, target)) = target {
            let mut header = header(self.mode.unwrap_or(0o777), kind, 0);
            archive.append_link(&mut header, path, target).unwrap();
        } else if self.dir {
            append(archive, path, self.mode.unwrap_or(0o755), tar::EntryType::Directory, &[]);
        } else if self.whiteout {
            let (parent, name) =
                path.rsplit_once('/').map_or((String::new(), path), |(parent, name)| (format!("{parent}/"), name));
            append(archive, &format!("{parent}.wh.{name}"), 0o644, tar::EntryType::Regular, &[]);
        } else {
            let mode = self.mode.unwrap_or(if self.elf.is_some() { 0o755 } else { 0o644 });
            append(archive, path, mode, tar::EntryType::Regular, &self.bytes());
        }
    }

    fn bytes(&self) -> Vec<u8> {
        if let Some(name) = &self.elf {
            return self.elf_bytes(name);
        }
        let hex = self.hex.as_deref().unwrap_or_default();
        let digits = hex.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap());
        self.text.as_ref().map_or_else(|| digits.collect(), |text| text.clone().into_bytes())
    }

    fn elf_bytes(&self, name: &str) -> Vec<u8> {
        let (machine, wide, big) = elf::machine(name);
        let kind = self.kind.as_deref().unwrap_or("executable");
        let number = match kind {
            "object" => 1,
            "executable" => 2,
            "shared" | "static-pie" => 3,
            other => panic!("no ELF type is called {other}"),
        };
        elf::build(&elf::ElfRecipe {
            machine,
            wide,
            big: self.endian.as_deref().map_or(big, |endian| endian == "big"),
            kind: number,
            flags: self.flags,
            interp: self.interp.clone(),
            needed: self.needed.clone(),
            soname: self.soname.clone(),
            rpath: self.rpath.clone(),
            runpath: self.runpath.clone(),
            needs: self.needs.clone(),
            defines: self.defines.clone(),
            loader: self.loader.clone(),
            oldest_kernel: self.oldest_kernel.clone(),
            pie: kind == "static-pie",
        })
    }
}

fn header(mode: u32, kind: tar::EntryType, size: usize) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_mode(mode);
    header.set_entry_type(kind);
    header.set_size(size as u64);
    header.set_mtime(0);
    header
}

/// Appends a member under exactly this name, also one that the `tar` crate would refuse to write.
fn append<W: Write>(archive: &mut tar::Builder<W>, path: &str, mode: u32, kind: tar::EntryType, bytes: &[u8]) {
    let mut header = header(mode, kind, bytes.len());
    header.as_old_mut().name[..path.len()].copy_from_slice(path.as_bytes());
    header.set_cksum();
    archive.append(&header, bytes).unwrap();
}

fn platform_document(text: &str) -> Value {
    let mut parts = text.split('/');
    let mut document = json!({"os": parts.next(), "architecture": parts.next()});
    if let Some(variant) = parts.next() {
        document["variant"] = json!(variant);
    }
    document
}

fn blob(folder: &Path, bytes: &[u8], media_type: &str) -> Value {
    let digest = Digest::of(bytes);
    fs::write(folder.join("blobs/sha256").join(digest.hex()), bytes).unwrap();
    json!({"mediaType": media_type, "digest": digest.to_string(), "size": bytes.len()})
}
