//! Images at Docker's own registry: open, behind passwords, behind a token server, behind TLS; pushed by every tool.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use enoexec::finding::catalogue;
use serde_json::{Value, json};

use crate::image::{blob_path, digest};
use crate::lab::{Lab, run, shell};
use crate::recipe::Recipe;
use crate::run::{Run, check_where, check_with};
use crate::writers::original;

const NEEDS: &str = "docker-registry, nginx, htpasswd, openssl, skopeo, buildah, podman and umoci";
const STORE: &str = "--root store/root --runroot store/run --storage-driver vfs";
const SKOPEO: &str = "skopeo --insecure-policy";
const USER: &str = "alice:wonderland";

/// A process of the test, ended with it.
pub struct Service {
    child: Child,
    pub address: String,
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn started(command: &mut Command, port: u16) -> Service {
    service(command, format!("localhost:{port}"), || TcpStream::connect(("127.0.0.1", port)).is_ok())
}

/// Starts a process and waits until it answers.
pub fn service(command: &mut Command, address: String, answers: impl Fn() -> bool) -> Service {
    let child =
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let service = Service { child, address };
    for _ in 0..600 {
        if answers() {
            return service;
        }
        thread::sleep(Duration::from_millis(50));
    }
    panic!("{command:?} does not answer");
}

/// An authority in `folder` (ca.pem), and what it has signed: a server on this machine, and a client (each .pem and .key).
pub fn authority(folder: &Path) {
    let signed = |name: &str, extensions: &str| {
        format!(
            "openssl req -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.csr -subj /CN={name} 2>/dev/null && \
             printf '{extensions}' > {name}.ext && \
             openssl x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile {name}.ext -out {name}.pem 2>/dev/null"
        )
    };
    let own = "openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=authority 2>/dev/null";
    let server = signed("server", "subjectAltName=DNS:localhost,IP:127.0.0.1\\nbasicConstraints=CA:FALSE\\n");
    let client = signed("client", "extendedKeyUsage=clientAuth\\nbasicConstraints=CA:FALSE\\n");
    shell(folder, &format!("{own} && {server} && {client}"));
}

/// nginx in `folder`, with the directives of one server, which listens where `LISTEN` stands.
pub fn nginx(folder: &Path, server: &str) -> Service {
    let port = free_port();
    let server = server.replace("LISTEN", &format!("listen 127.0.0.1:{port}"));
    let config = format!(
        "user root; daemon off; pid nginx-{port}.pid; error_log stderr; events {{}}\nhttp {{ access_log off; client_body_temp_path t1;\n\
         proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5; client_max_body_size 0;\nserver {{ {server} }} }}\n"
    );
    let file = format!("nginx-{port}.conf");
    fs::write(folder.join(&file), config).unwrap();
    let prefix = fs::canonicalize(folder).unwrap();
    started(Command::new("nginx").args(["-e", "stderr", "-c", &file, "-p"]).arg(&prefix), port)
}

/// Directives of a server that speaks TLS.
pub const TLS: &str = "LISTEN ssl; ssl_certificate server.pem; ssl_certificate_key server.key;";

/// Directives of one that wants to see a certificate of its clients too.
pub const MUTUAL: &str = "ssl_client_certificate ca.pem; ssl_verify_client on;";

/// `docker-registry serve`, with more settings.
pub fn registry(folder: &Path, more: &str) -> Service {
    let port = free_port();
    let config = format!(
        "version: 0.1\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: \"127.0.0.1:{port}\"}}\n{more}",
        folder.join("registry").display()
    );
    let file = folder.join("registry.yml");
    fs::write(&file, config).unwrap();
    started(Command::new("docker-registry").arg("serve").arg(file), port)
}

/// The report is that of the layout on disk.
fn assert_same(expected: &Value, words: &[&str]) -> Run {
    let run = check_with(&[&["--no-cache"], words].concat());
    assert_eq!(&run.judgement(), expected, "{words:?}\n{}", run.shown());
    assert!(!run.stdout.contains("wonderland") && !run.stderr.contains("wonderland"), "{}", run.shown());
    run
}

fn authfile(folder: &Path, address: &str) -> String {
    let path = folder.join("auth.json");
    fs::write(&path, json!({"auths": {address: {"auth": STANDARD.encode(USER)}}}).to_string()).unwrap();
    path.display().to_string()
}

#[test]
fn every_tool_pushes_to_an_open_registry() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let (folder, expected) = original(&lab);
    let at = registry(&folder, "");
    let at = &at.address;
    let push = |line: &str| shell(&folder, line);
    push(&format!("{SKOPEO} copy -q --dest-tls-verify=false oci:layout:latest docker://{at}/skopeo:1"));
    push(&format!("{SKOPEO} copy -q --dest-tls-verify=false --format v2s2 oci:layout:latest docker://{at}/v2s2:1"));
    push(&format!("{SKOPEO} copy -q --dest-tls-verify=false --dest-compress-format zstd oci:layout:latest docker://{at}/zstd:1"));
    push(&format!("{SKOPEO} copy -q --override-arch arm64 oci:layout:latest docker-archive:in.tar:example.org/e2e:1"));
    let podman = format!("podman --tmpdir store/tmp {STORE}");
    push(&format!("{podman} load -q -i in.tar && {podman} push -q --tls-verify=false example.org/e2e:1 docker://{at}/podman:1"));
    push(&format!("buildah {STORE} push -q --tls-verify=false example.org/e2e:1 docker://{at}/deep/er/buildah:1"));
    push(&format!(
        "umoci tag --image layout:latest again && {SKOPEO} copy -q --dest-tls-verify=false oci:layout:again docker://{at}/umoci:1"
    ));
    for name in ["skopeo:1", "v2s2:1", "zstd:1", "podman:1", "deep/er/buildah:1", "umoci:1", "skopeo:1@"] {
        let digest = name.strip_suffix('@').map(|name| {
            shell(
                &folder,
                &format!(
                    "{SKOPEO} inspect --override-arch arm64 --tls-verify=false --format '{{{{.Digest}}}}' docker://{at}/{name}"
                ),
            )
        });
        let name = digest.map_or_else(|| name.to_owned(), |digest| format!("{name}{}", digest.trim()));
        assert_same(&expected, &[&format!("{at}/{name}")]);
    }
    let absent = check_with(&[&format!("{at}/skopeo:2")]);
    absent.ends(3);
    assert!(absent.report["targets"][0]["error"].as_str().unwrap().contains("MANIFEST_UNKNOWN"), "{}", absent.shown());
}

/// Puts the images of a layout under one index, as a tag of a registry has them.
fn under_one_index(layout: &Path) {
    let index = fs::read(layout.join("index.json")).unwrap();
    fs::write(blob_path(layout, &digest(&index)), &index).unwrap();
    let media_type = "application/vnd.oci.image.index.v1+json";
    let entry = json!({"mediaType": media_type, "digest": digest(&index), "size": index.len()});
    fs::write(layout.join("index.json"), json!({"schemaVersion": 2, "manifests": [entry]}).to_string()).unwrap();
}

#[test]
fn the_image_of_every_rules_example_is_judged_as_on_disk() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let at = registry(&lab.path("."), "");
    let examples = catalogue().iter().flat_map(|rule| rule.examples.iter().map(move |example| (rule, example)));
    let (mut same, mut refused) = (0, Vec::new());
    for (number, (rule, example)) in examples.enumerate() {
        let Some(image) = &example.image else { continue };
        let (recipe, layout) = (Recipe::from_toml(image), lab.path(&format!("example-{number}")));
        recipe.write_layout(&layout);
        under_one_index(&layout);
        let target = format!("{}/example-{number}:1", at.address);
        let copy = format!(
            "{SKOPEO} copy -q --all --preserve-digests --dest-tls-verify=false oci:{} docker://{target}",
            layout.display()
        );
        // A registry that has the layer by another image lacks nothing.
        let is_absent = recipe.layers.iter().any(|layer| layer.broken.as_deref() == Some("missing"));
        if is_absent || !Command::new("sh").args(["-c", &copy]).stderr(Stdio::null()).status().unwrap().success() {
            refused.push(format!("{}: {}", rule.id, example.name));
            continue;
        }
        let nodes: Vec<&str> = recipe.nodes.iter().flat_map(|node| ["--node", node]).collect();
        let judged = |target: &str| {
            let run = check_with(&[&nodes[..], &["--no-cache", target]].concat());
            let mut judgement = run.judgement();
            // Of an image that no node pulls, a registry is not asked for the config.
            for image in judgement["images"].as_array_mut().unwrap() {
                if image["nodes"].as_array().unwrap().iter().all(|node| node["selected"] == false) {
                    image["config"] = Value::Null;
                }
            }
            (judgement, run)
        };
        let ((here, _), (there, run)) = (judged(&format!("oci:{}", layout.display())), judged(&target));
        assert_eq!(there, here, "{}: {}\n{}", rule.id, example.name, run.shown());
        same += 1;
    }
    // Of some the very thing is that they are broken, and no tool pushes them.
    println!("{same} images are judged as on disk; skopeo pushes none of {refused:#?}");
    assert!(same > 80 && refused.len() < 12, "{same}, {refused:#?}");
}

#[test]
fn a_registry_that_wants_a_password() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let (folder, expected) = original(&lab);
    shell(&folder, "htpasswd -Bbn alice wonderland > htpasswd");
    let at = registry(&folder, &format!("auth: {{htpasswd: {{realm: x, path: {}}}}}\n", folder.join("htpasswd").display()));
    let at = &at.address;
    shell(
        &folder,
        &format!("{SKOPEO} copy -q --dest-creds {USER} --dest-tls-verify=false oci:layout:latest docker://{at}/app:1"),
    );
    let target = format!("{at}/app:1");
    assert_same(&expected, &["--authfile", &authfile(&folder, at), &target]);
    let refused = check_with(&[&target]);
    refused.ends(3);
    assert!(refused.report["targets"][0]["error"].as_str().unwrap().contains("docker login"), "{}", refused.shown());
}

#[test]
fn a_registry_with_a_token_server() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let (folder, expected) = original(&lab);
    shell(
        &folder,
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=tokens 2>/dev/null",
    );
    let tokens = token_server(folder.clone());
    let auth = format!(
        "auth: {{token: {{realm: \"http://localhost:{tokens}/token\", service: e2e, issuer: e2e, rootcertbundle: {}}}}}\n",
        folder.join("cert.pem").display()
    );
    let at = registry(&folder, &auth);
    let at = &at.address;
    shell(
        &folder,
        &format!("{SKOPEO} copy -q --dest-creds {USER} --dest-tls-verify=false oci:layout:latest docker://{at}/team/app:1"),
    );
    let target = format!("{at}/team/app:1");
    assert_same(&expected, &["--authfile", &authfile(&folder, at), &target]);
    check_with(&[&target]).ends(3);
}

/// Gives alice a token of Docker's form for whatever scope she asks, signed with the key in `folder`.
fn token_server(folder: PathBuf) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut lines = BufReader::new(&stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
            let query = lines.next().and_then(|line| line.split(' ').nth(1).map(str::to_owned)).unwrap_or_default();
            let is_alice = lines.any(|line| line.ends_with(&format!("Basic {}", STANDARD.encode(USER))));
            let (status, body) =
                if is_alice { (200, json!({"token": token(&folder, &query)})) } else { (401, json!({"details": "who?"})) };
            let body = body.to_string();
            let _ = write!(&stream, "HTTP/1.1 {status} x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        }
    });
    port
}

fn token(folder: &Path, query: &str) -> String {
    let pairs = query.split_once('?').map_or("", |(_, query)| query).split('&').filter_map(|pair| pair.split_once('='));
    let values: HashMap<&str, String> =
        pairs.map(|(key, value)| (key, value.replace("%3A", ":").replace("%2F", "/").replace("%2C", ","))).collect();
    let scope: Vec<&str> = values.get("scope").map(|scope| scope.split(':').collect()).unwrap_or_default();
    let access: Vec<Value> = match scope.as_slice() {
        [kind, name, actions] => vec![json!({"type": kind, "name": name, "actions": actions.split(',').collect::<Vec<_>>()})],
        _ => Vec::new(),
    };
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let certificate = shell(folder, "openssl x509 -in cert.pem -outform DER | base64 -w0");
    let header = json!({"typ": "JWT", "alg": "RS256", "x5c": [certificate.trim()]});
    let claims = json!({"iss": "e2e", "sub": "alice", "aud": "e2e", "exp": now + 300, "nbf": now - 60, "iat": now, "jti": "1", "access": access});
    let signed = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
    let name = format!("claims-{:?}", thread::current().id());
    fs::write(folder.join(&name), &signed).unwrap();
    let signature = run(Command::new("openssl").args(["dgst", "-sha256", "-sign", "key.pem", &name]).current_dir(folder));
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[test]
fn a_registry_behind_nginx_and_tls() {
    let Some(lab) = Lab::open(NEEDS) else { return };
    let (folder, expected) = original(&lab);
    let behind = registry(&folder, "");
    shell(&folder, &format!("{SKOPEO} copy -q --dest-tls-verify=false oci:layout:latest docker://{}/app:1", behind.address));
    authority(&folder);
    let proxied = format!(
        "location / {{ proxy_pass http://{}; proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto https; }}",
        behind.address
    );
    let nginx = self::nginx(&folder, &format!("{TLS} {proxied}"));
    let target = format!("{}/app:1", nginx.address);
    let authority = folder.join("ca.pem").display().to_string();
    assert_same(&expected, &["--ca-cert", &authority, &target]);
    assert_same(&expected, &["--insecure-registry", &nginx.address, &target]);
    let unbelieved = check_with(&[&target]);
    unbelieved.ends(3);
    assert!(unbelieved.report["targets"][0]["error"].as_str().unwrap().contains("--ca-cert"), "{}", unbelieved.shown());

    // certs.d, as podman and Docker have it.
    let kept = folder.join("config/containers/certs.d").join(&nginx.address);
    let config = folder.join("config").display().to_string();
    fs::create_dir_all(&kept).unwrap();
    fs::copy(folder.join("ca.pem"), kept.join("ca.crt")).unwrap();
    let believed = check_where(&[("XDG_CONFIG_HOME", &config)], &["--no-cache", &target]);
    assert_eq!(believed.judgement(), expected, "{}", believed.shown());

    let strict = self::nginx(&folder, &format!("{TLS} {MUTUAL} {proxied}"));
    let target = format!("{}/app:1", strict.address);
    let unknown = check_with(&["--ca-cert", &authority, &target]);
    unknown.ends(3);
    assert!(unknown.report["targets"][0]["error"].as_str().unwrap().contains("certs.d"), "{}", unknown.shown());
    let kept = folder.join("config/containers/certs.d").join(&strict.address);
    fs::create_dir_all(&kept).unwrap();
    for (from, to) in [("ca.pem", "ca.crt"), ("client.pem", "client.cert"), ("client.key", "client.key")] {
        fs::copy(folder.join(from), kept.join(to)).unwrap();
    }
    let known = check_where(&[("XDG_CONFIG_HOME", &config)], &["--no-cache", &target]);
    assert_eq!(known.judgement(), expected, "{}", known.shown());
}
