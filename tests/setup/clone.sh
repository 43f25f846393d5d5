#!/usr/bin/env bash
# Copies this working tree into a folder: tests/setup/clone.sh FOLDER
# Only the files that a fresh clone would have are copied.
set -euo pipefail
mkdir -p "$1"
cd "$(dirname "$0")/../.."
git ls-files -z | while IFS= read -r -d '' file; do
  if [ -e "$file" ]; then printf '%s\0' "$file"; fi
done | tar --create --null --files-from=- | tar --extract --directory "$1"
