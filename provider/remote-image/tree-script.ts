import { WHOLE_TAR } from "./store-scripts";

/** A change of more pieces than this is made by writing the folder anew. */
const MOST_CHANGED = 300;

/**
 * Makes the tar into a folder for a builder that takes from a folder only what changed since it last saw one of this name. What was
 * made of the last tar is kept (`tree.NAME`: `files`, `pairs` and `seal`) and only what changed is written, where nobody touched it
 * since: its seal names every file with the moment of its last change, which nobody can set, and the boot it was made in.
 *
 * A tar's pieces are by turns what stands before a file's bytes, its header last, and those bytes. So a pair of them is a file with
 * all that is said of it, and pairs that the last tar had not make a tar of what is new. What stands first in such a piece is the
 * padding of the file before it: what is beyond a multiple of 512.
 */
const TREE = `
drop() { [ ! -e "$1" ] || { chmod -R u+rwX -- "$1"; rm -rf -- "$1"; }; }
seal() {
  cat /proc/sys/kernel/random/boot_id || return 1
  cd -- "$tree/files" && find . -printf '%p %y %m %s %T@ %C@ %l\\n' | sort | sha256sum
}
part() {
  while read -r between content; do
    size=$(wc -c <"$between") && tail -c +$((size % 512 + 1)) "$between" || return 1
    [ -n "$content" ] || continue
    size=$(wc -c <"$content") && cat "$content" || return 1
    [ $((size % 512)) -eq 0 ] || head -c $((512 - size % 512)) /dev/zero
  done <"$1"
  head -c 1024 /dev/zero
}
without() { awk 'FILENAME == ARGV[1] { had[$0]; next } !($0 in had)' "$1" "$2"; }
sound() { [ ! -s "$1" ] || tr ' ' '\\n' <"$1" | sed '/^$/d; s/.*/&  &/' | sha256sum -c; }
few() { [ "$(wc -l <"$1")" -le ${MOST_CHANGED} ]; }
pairs() { xargs cat <"$book" >"$tree/pieces" && paste -d ' ' - - <"$tree/pieces" >"$1"; }
renewed() {
  cd -- "$store/objects" && mv -- "$tree/seal" "$tree/sealed" && [ -s "$tree/sealed" ] &&
    [ "$(seal)" = "$(cat "$tree/sealed")" ] && pairs "$tree/new" || return 1
  without "$tree/pairs" "$tree/new" >"$tree/in" && without "$tree/new" "$tree/pairs" >"$tree/out" &&
    few "$tree/in" && few "$tree/out" &&
    sound "$tree/in" >&2 && sound "$tree/out" >&2 &&
    part "$tree/in" >"$tree/in.tar" && part "$tree/out" >"$tree/out.tar" &&
    tar -tf "$tree/in.tar" >"$tree/in" && tar -tf "$tree/out.tar" >"$tree/out" &&
    without "$tree/in" "$tree/out" >"$tree/gone" || return 1
  ! grep -q '\\\\' "$tree/gone" || return 1
  while IFS= read -r each; do rm -rf -- "$tree/files/$each" || return 1; done <"$tree/gone"
  tar -xpf "$tree/in.tar" -C "$tree/files" && mv -- "$tree/new" "$tree/pairs" && rm -f -- "$tree"/*.tar
}
fresh() {
  drop "$tree"
  mkdir -m 700 -- "$tree" "$tree/files" && ( whole_tar ) | tar -xpf - -C "$tree/files" &&
    cd -- "$store/objects" && pairs "$tree/pairs"
}`;

/**
 * `$1` store, `$2` digest of a recipe book, `$3` a name for the folder, `$4` the Dockerfile in it, then the command of the builder,
 * which gets the folder. Where tar knows no parts of a second, there is no room for the folder, or somebody else builds in one of
 * this name, it gets the tar.
 */
export const FROM_FOLDER = `store=$1 book=$2 folder=$1/incoming.$3 kept=$1/tree.$3 dockerfile=$4; shift 4
tree=$folder/tree
${WHOLE_TAR}${TREE}
case $(tar --version 2>/dev/null) in *GNU*) mkdir -m 700 -- "$folder" 2>/dev/null ;; *) false ;; esac || {
  whole_tar | "$@" --file="$dockerfile" -
  exit
}
trap 'drop "$folder"' EXIT; trap 'exit 129' HUP INT PIPE TERM
(mv -- "$kept" "$tree" && renewed || fresh) 2>/dev/null </dev/null || {
  drop "$tree"
  whole_tar | "$@" --file="$dockerfile" -
  exit
}
# under sudo it is root who made it, and the account that has to be able to drop it; a file would lose its setuid bit
[ "$(id -u)" -ne 0 ] || [ "$(stat -c %u "$store")" -eq 0 ] ||
  find "$tree" -user 0 \\( -type d -o ! -perm /6000 \\) -exec chown -h --reference="$store" {} +
seal >"$tree/seal" 2>/dev/null </dev/null &
sealing=$!
"$@" --file="$tree/files/$dockerfile" "$tree/files"
code=$?
wait "$sealing" && [ -s "$tree/seal" ] && drop "$kept" && mv -- "$tree" "$kept"
exit "$code"`;
