//! Builds images as a build would: layers with their steps, a config, and an OCI layout around them.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

use crate::lab::{Lab, cache};
use crate::packages;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// The media type of a gzip layer.
pub const GZIP_LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// What Debian calls each architecture, and what images do.
pub const ARCHITECTURES: [(&str, &str); 8] = [
    ("amd64", "linux/amd64"),
    ("arm64", "linux/arm64/v8"),
    ("armhf", "linux/arm/v7"),
    ("armel", "linux/arm/v5"),
    ("i386", "linux/386"),
    ("s390x", "linux/s390x"),
    ("ppc64el", "linux/ppc64le"),
    ("mips64el", "linux/mips64le"),
];

/// `sha256:…` of bytes.
pub fn digest(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// Compresses as a builder would, quickly.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A file that a build step brings.
pub struct Item {
    path: String,
    mode: u32,
    body: Body,
}

enum Body {
    Bytes(Vec<u8>),
    Link(String),
    Directory,
}

/// A file with its execute bits.
pub fn program(path: &str, bytes: impl Into<Vec<u8>>) -> Item {
    Item { path: path.to_owned(), mode: 0o755, body: Body::Bytes(bytes.into()) }
}

/// A file without execute bits.
pub fn data(path: &str, bytes: impl Into<Vec<u8>>) -> Item {
    Item { path: path.to_owned(), mode: 0o644, body: Body::Bytes(bytes.into()) }
}

/// A file of this mode.
pub fn moded(path: &str, mode: u32, bytes: impl Into<Vec<u8>>) -> Item {
    Item { path: path.to_owned(), mode, body: Body::Bytes(bytes.into()) }
}

/// A directory of this mode.
pub fn directory(path: &str, mode: u32) -> Item {
    Item { path: path.to_owned(), mode, body: Body::Directory }
}

/// A symbolic link.
pub fn link(path: &str, target: &str) -> Item {
    Item { path: path.to_owned(), mode: 0o777, body: Body::Link(target.to_owned()) }
}

/// Every file below a folder of this machine, put below `path` of the image.
pub fn tree(path: &str, folder: &Path) -> Vec<Item> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    let place = |entry: &Path| format!("{path}/{}", entry.file_name().unwrap().to_str().unwrap());
    let items = |entry: PathBuf| match entry.is_dir() {
        true => tree(&place(&entry), &entry),
        false => vec![program(&place(&entry), fs::read(&entry).unwrap())],
    };
    entries.into_iter().flat_map(items).collect()
}

/// A tar of these files.
pub fn tar_of(items: &[Item]) -> Vec<u8> {
    let mut tar = Builder::new(Vec::new());
    for item in items {
        let mut header = Header::new_gnu();
        header.set_mode(item.mode);
        let path = item.path.trim_start_matches('/');
        match &item.body {
            Body::Bytes(bytes) => {
                header.set_size(bytes.len() as u64);
                tar.append_data(&mut header, path, bytes.as_slice()).unwrap();
            }
            Body::Directory => {
                header.set_entry_type(EntryType::Directory);
                header.set_size(0);
                tar.append_data(&mut header, path, std::io::empty()).unwrap();
            }
            Body::Link(target) => {
                header.set_entry_type(EntryType::Symlink);
                header.set_size(0);
                tar.append_link(&mut header, path, target).unwrap();
            }
        }
    }
    tar.into_inner().unwrap()
}

/// A layer as it is stored, with the step that made it.
#[derive(Clone)]
pub struct Layer {
    pub step: String,
    pub media_type: String,
    pub diff_id: String,
    blob: Blob,
}

#[derive(Clone)]
enum Blob {
    Bytes(Vec<u8>),
    /// In the cache; with its digest and size.
    File(PathBuf, String, u64),
}

impl Layer {
    /// `COPY` of these files.
    pub fn copy(step: &str, items: &[Item]) -> Self {
        Self::of_tar(step, &tar_of(items))
    }

    /// A gzip layer of these tar bytes.
    pub fn of_tar(step: &str, tar: &[u8]) -> Self {
        Self::stored(step, GZIP_LAYER, &digest(tar), gzip(tar))
    }

    /// A layer of these bytes, whatever they are.
    pub fn stored(step: &str, media_type: &str, diff_id: &str, bytes: Vec<u8>) -> Self {
        Self { step: step.to_owned(), media_type: media_type.to_owned(), diff_id: diff_id.to_owned(), blob: Blob::Bytes(bytes) }
    }

    fn digest_and_size(&self) -> (String, u64) {
        match &self.blob {
            Blob::Bytes(bytes) => (digest(bytes), bytes.len() as u64),
            Blob::File(_, digest, size) => (digest.clone(), *size),
        }
    }

    /// The layer's digest.
    pub fn digest(&self) -> String {
        self.digest_and_size().0
    }

    fn put(&self, layout: &Path) -> Value {
        let (digest, size) = self.digest_and_size();
        let path = blob_path(layout, &digest);
        match &self.blob {
            Blob::Bytes(bytes) => fs::write(&path, bytes).unwrap(),
            Blob::File(source, ..) if !path.exists() => fs::hard_link(source, &path).unwrap(),
            Blob::File(..) => {}
        }
        json!({ "mediaType": self.media_type, "digest": digest, "size": size })
    }
}

/// Where a layout keeps a blob.
pub fn blob_path(layout: &Path, digest: &str) -> PathBuf {
    layout.join("blobs").join(digest.replace(':', "/"))
}

/// `RUN apt-get install` of each group of packages: a layer each, with what the groups before do not have. The first also has the
/// links of merged /usr, and each is made once and kept in the cache.
pub fn debian_layers(architecture: &str, groups: &[&[&str]]) -> Vec<Layer> {
    let mut layers = Vec::new();
    let mut before: BTreeSet<PathBuf> = BTreeSet::new();
    let mut asked: Vec<&str> = Vec::new();
    for group in groups {
        asked.extend(*group);
        let all: BTreeSet<PathBuf> = packages::debian(architecture, &asked).into_iter().collect();
        let new: Vec<&PathBuf> = all.difference(&before).collect();
        layers.push(debian_layer(architecture, &group.join(" "), &new, before.is_empty()));
        before = all;
    }
    layers
}

fn debian_layer(architecture: &str, names: &str, packages: &[&PathBuf], first: bool) -> Layer {
    let listing: String = packages.iter().map(|path| path.display().to_string() + "\n").collect();
    let key = digest(format!("1 {first} {listing}").as_bytes()).replace("sha256:", "");
    let folder = cache("layers");
    let (blob, notes) = (folder.join(format!("{architecture}-{key}.tar.gz")), folder.join(format!("{architecture}-{key}.json")));
    if !notes.exists() {
        let tar = merge_packages(packages, first);
        let packed = gzip(&tar);
        let made = json!({ "diff_id": digest(&tar), "digest": digest(&packed), "size": packed.len() });
        write_whole(&folder, &blob, &packed);
        write_whole(&folder, &notes, made.to_string().as_bytes());
    }
    let made: Value = serde_json::from_slice(&fs::read(&notes).unwrap()).unwrap();
    Layer {
        step: format!("RUN apt-get install -y {names}"),
        media_type: GZIP_LAYER.to_owned(),
        diff_id: made["diff_id"].as_str().unwrap().to_owned(),
        blob: Blob::File(blob, made["digest"].as_str().unwrap().to_owned(), made["size"].as_u64().unwrap()),
    }
}

/// Writes a file of the cache in one step, so that no other run sees half of it.
fn write_whole(folder: &Path, path: &Path, bytes: &[u8]) {
    let mut file = tempfile::NamedTempFile::new_in(folder).unwrap();
    file.write_all(bytes).unwrap();
    file.persist(path).unwrap();
}

/// The files of packages, where a Debian of today has them: below /usr, with links in the old places.
fn merge_packages(packages: &[&PathBuf], with_links: bool) -> Vec<u8> {
    const MERGED: [&str; 4] = ["bin", "sbin", "lib", "lib64"];
    let mut tar = Builder::new(Vec::new());
    let mut seen = BTreeSet::new();
    let merged = |path: &Path| match path.iter().next().and_then(|first| first.to_str()) {
        Some(first) if MERGED.contains(&first) => Path::new("usr").join(path),
        _ => path.to_owned(),
    };
    if with_links {
        for name in MERGED {
            let mut header = Header::new_gnu();
            header.set_entry_type(EntryType::Symlink);
            header.set_size(0);
            header.set_mode(0o777);
            tar.append_link(&mut header, name, format!("usr/{name}")).unwrap();
        }
    }
    for package in packages {
        packages::each_entry(package, |path, entry| {
            let path = merged(&path);
            if !seen.insert(path.clone()) {
                return;
            }
            let mut header = entry.header().clone();
            match entry.link_name().unwrap() {
                Some(target) if entry.header().entry_type() == EntryType::Link => {
                    tar.append_link(&mut header, path, merged(target.strip_prefix("./").unwrap_or(&target))).unwrap();
                }
                Some(target) => tar.append_link(&mut header, path, target).unwrap(),
                None => tar.append_data(&mut header, path, entry).unwrap(),
            }
        });
    }
    tar.into_inner().unwrap()
}

/// An image before it is written.
#[derive(Clone)]
pub struct Image {
    /// What the index says.
    label: String,
    config: Value,
    config_type: String,
    layers: Vec<Layer>,
}

impl Image {
    /// An image for a platform, in the index as in its config.
    pub fn on(platform: &str) -> Self {
        let mut config = platform_object(platform);
        config["config"] = json!({ "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"] });
        Self { label: platform.to_owned(), config, config_type: CONFIG.to_owned(), layers: Vec::new() }
    }

    /// A Debian image, with a layer for each group of packages.
    pub fn debian(architecture: &str, groups: &[&[&str]]) -> Self {
        let platform = ARCHITECTURES.iter().find(|(name, _)| *name == architecture).unwrap().1;
        debian_layers(architecture, groups).into_iter().fold(Self::on(platform), Self::layer)
    }

    /// The index says something else.
    pub fn labelled(mut self, platform: &str) -> Self {
        platform.clone_into(&mut self.label);
        self
    }

    /// The config says something else.
    pub fn configured(mut self, platform: &str) -> Self {
        let said = platform_object(platform);
        let config = self.config.as_object_mut().unwrap();
        config.remove("variant");
        config.extend(said.as_object().unwrap().clone());
        self
    }

    /// One more layer on top.
    pub fn layer(mut self, layer: Layer) -> Self {
        self.layers.push(layer);
        self
    }

    /// One more layer on top, of these files.
    pub fn copy(self, step: &str, items: &[Item]) -> Self {
        self.layer(Layer::copy(step, items))
    }

    /// `ENTRYPOINT`.
    pub fn entrypoint(mut self, argv: &[&str]) -> Self {
        self.config["config"]["Entrypoint"] = json!(argv);
        self
    }

    /// What the config says of how it is run, over what it said before.
    pub fn run(mut self, settings: &Value) -> Self {
        self.config["config"].as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        self
    }

    /// The config is of this media type.
    pub fn config_type(mut self, media_type: &str) -> Self {
        media_type.clone_into(&mut self.config_type);
        self
    }

    /// The layers, lowest first.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Writes an OCI layout that holds this image alone.
    pub fn write(&self, lab: &Lab, name: &str) -> PathBuf {
        write_layout(lab, name, std::slice::from_ref(self))
    }

    fn put(&self, layout: &Path) -> Value {
        let layers: Vec<Value> = self.layers.iter().map(|layer| layer.put(layout)).collect();
        let mut config = self.config.clone();
        config["rootfs"] =
            json!({ "type": "layers", "diff_ids": self.layers.iter().map(|layer| &layer.diff_id).collect::<Vec<_>>() });
        // A step that brings no files stands first, as ENV and LABEL do in real images: layers and steps are not numbered alike.
        let steps = self.layers.iter().map(|layer| json!({ "created_by": layer.step }));
        config["history"] = [json!({ "created_by": "ENV LANG=C", "empty_layer": true })].into_iter().chain(steps).collect();
        let mut config = put_document(layout, &config);
        config["mediaType"] = json!(self.config_type);
        let manifest = json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers });
        let mut entry = put_document(layout, &manifest);
        entry["mediaType"] = json!(MANIFEST);
        entry["platform"] = platform_object(&self.label);
        entry
    }
}

/// Writes an OCI layout: one image stands in it directly, several in a nested index as buildx writes them; the tag is `latest`.
pub fn write_layout(lab: &Lab, name: &str, images: &[Image]) -> PathBuf {
    let layout = lab.path(name);
    fs::create_dir_all(layout.join("blobs/sha256")).unwrap();
    fs::write(layout.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    let mut entries: Vec<Value> = images.iter().map(|image| image.put(&layout)).collect();
    if images.len() > 1 {
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries });
        let mut nested = put_document(&layout, &index);
        nested["mediaType"] = json!(INDEX);
        entries = vec![nested];
    }
    entries[0]["annotations"] = json!({ "org.opencontainers.image.ref.name": "latest" });
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries });
    fs::write(layout.join("index.json"), index.to_string()).unwrap();
    layout
}

fn put_document(layout: &Path, document: &Value) -> Value {
    let bytes = document.to_string().into_bytes();
    fs::write(blob_path(layout, &digest(&bytes)), &bytes).unwrap();
    json!({ "digest": digest(&bytes), "size": bytes.len() })
}

fn platform_object(platform: &str) -> Value {
    let mut parts = platform.split('/');
    let mut object = json!({ "os": parts.next().unwrap(), "architecture": parts.next().unwrap() });
    if let Some(variant) = parts.next() {
        object["variant"] = json!(variant);
    }
    object
}

/// The paths in a layer of a layout that have execute bits and lie in a folder, such as `usr/bin`.
pub fn programs_in(layer: &Layer, folder: &str) -> Vec<String> {
    let bytes: Box<dyn Read> = match &layer.blob {
        Blob::Bytes(bytes) => Box::new(bytes.as_slice()),
        Blob::File(path, ..) => Box::new(File::open(path).unwrap()),
    };
    let mut found = Vec::new();
    for entry in tar::Archive::new(flate2::read::MultiGzDecoder::new(bytes)).entries().unwrap() {
        let entry = entry.unwrap();
        let path = entry.path().unwrap().into_owned();
        let executable = entry.header().mode().unwrap() & 0o111 != 0 && !entry.header().entry_type().is_dir();
        if executable && path.parent() == Some(Path::new(folder)) {
            found.push(format!("/{}", path.display()));
        }
    }
    found
}
