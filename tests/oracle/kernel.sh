#!/bin/sh
# kernel.sh ARCHITECTURE SUITE PACKAGE FOLDER: brings the kernel that Debian's meta package PACKAGE names into FOLDER/kernel, and
# its version into FOLDER/version. Nothing is installed; apt works on a state of its own.
set -eu
architecture=$1 suite=$2 package=$3 folder=$4
[ -s "$folder/kernel" ] && exit 0
mkdir -p "$folder/lists/partial" "$folder/archives/partial"
: > "$folder/status"

# The archive that this machine gets its own packages from has the other suites and architectures too.
uri=$(apt-get indextargets --format '$(REPO_URI) $(COMPONENT)' 'Created-By: Packages' | sed -n 's#^\([^ ]*/debian/\{0,1\}\) main$#\1#p' | head -n 1)
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${uri:?no Debian archive in apt\'s sources} $suite main" > "$folder/sources.list"
apt() {
    command=$1
    shift
    "$command" -oAPT::Architecture="$architecture" -oAPT::Architectures="$architecture" -oAPT::Sandbox::User=root \
        -oDir::Etc::SourceList="$folder/sources.list" -oDir::Etc::SourceParts=/dev/null -oAcquire::Languages=none -oAcquire::Retries=5 \
        -oDir::State::Lists="$folder/lists" -oDir::State::Status="$folder/status" -oDir::Cache="$folder" -qq "$@"
}
# What the first of a package's dependencies that begins with a prefix is.
dependency() {
    apt apt-cache depends "$1" | sed -n "s/.*Depends: \\($2-[0-9][^ ]*\\).*/\\1/p" | head -n 1
}
fetch() {
    apt apt-get update
    image=$(dependency "$package" linux-image)
    # From Linux 7 on, Debian keeps the kernel itself in a package of its own.
    (cd "$folder/archives" && apt apt-get download "${image:?$package names no kernel}" $(dependency "$image" linux-binary))
}
attempt=1
until fetch; do
    [ "$attempt" -lt 4 ] || exit 1
    attempt=$((attempt + 1))
    sleep 5
done
mkdir -p "$folder/unpacked"
for file in "$folder"/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$file" | tar -x -C "$folder/unpacked" --exclude '*.ko*' --exclude './usr/share/*'
done
cp "$(find "$folder/unpacked" -name 'vmlinu[xz]*' -type f | head -n 1)" "$folder/kernel.new"
echo "${image#linux-image-}" > "$folder/version"
mv "$folder/kernel.new" "$folder/kernel"
rm -rf "$folder/unpacked" "$folder/archives" "$folder/lists"
