/**
 * What runs on the host for its store of context pieces. It is the account's own (`$XDG_CACHE_HOME`, else `~/.cache`,
 * `/slipway/context`, 0700): `objects/SHA256` holds the bytes with that digest, pieces of tars and the recipes that name them.
 * `tree.NAME` is a folder made of a tar, as a builder saw it last. Every object got there by a rename after its digest was seen
 * to be right, so that nobody ever sees half of one, and any number of runs may write at once. What a run needs it touches
 * first; what nobody touched for an hour may go, so that no lock is wanted: a run that lost one all the same finds that out,
 * and sends it again.
 */

/** There can be no store: no place for it, or a program is missing. */
export const NO_STORE = 73;
/** There is not enough free space; `free KB` stands in the output. */
export const NO_SPACE = 74;
/** What came is not what it says it is. */
export const NOT_WHOLE = 65;

/** So many minutes after a tidying nobody looks again what may go, but for the room that much of a context needs. */
const TIDY_EVERY = 60;
/** What a store may hold, in kB, before it is tidied sooner than by age. */
const MOST_KB = 10 * 1024 * 1024;
/** A piece that no run wanted for so many minutes goes: two weeks. */
const LONGEST_UNUSED = 14 * 24 * 60;
/** While there is too much, or too little space is free, also what was not wanted for a week, two days, an hour. */
const SHORTER = [7 * 24 * 60, 2 * 24 * 60, 60] as const;

/**
 * Takes objects in, and says what else a context needs. `$1` digest of its recipe book, `$2` a word of this run's own, `$3` gzip or
 * plain, `$4` how many objects, `$5` kB that are to come in all, `$6` ask or keep; standard input is a tar of the objects, of which
 * the first question has the book. Its words: `store FOLDER`, then, where it is asked, a line for each recipe that is missing, and
 * for each missing piece of the others. What it wants it touches before it tidies, so that it stays.
 */
export const TAKE = `umask 077
none() { cat >/dev/null; exit ${NO_STORE}; }
case \${XDG_CACHE_HOME-} in /*) store=$XDG_CACHE_HOME ;; *) store=\${HOME-}/.cache ;; esac
store=$store/slipway/context
for program in base64 cat cut dd df du find grep gzip mkdir mv rm sha256sum tail tar touch xargs; do
  command -v "$program" >/dev/null || none
done
mkdir -p -- "$store/objects" && cd -- "$store/objects" || none
printf 'store %s\\n' "$store"
book=$1 in=../incoming.$2 how=$3 count=$4 need=$5 then=$6
trap 'rm -rf -- "$in"' EXIT; trap 'exit 129' HUP INT PIPE TERM
free() { set -- $(df -Pk . | tail -n 1); echo "$4"; }
full() { cat >/dev/null; echo "free $(free)"; exit ${NO_SPACE}; }
trees() { find .. -maxdepth 1 -name 'tree.*' -mmin +"$1" -exec chmod -R u+rwX {} + -exec rm -rf {} +; }
too_much() { set -- $(du -sk ..); [ $(($1 + need)) -gt ${MOST_KB} ] || [ "$(free)" -lt "$need" ]; }
make_room() {
  too_much || return 0
  trees ${SHORTER[SHORTER.length - 1]}
  for age in ${SHORTER.join(" ")}; do
    find . -type f -mmin +"$age" | xargs rm -f
    too_much || break
  done
}
tidy() {
  find .. -maxdepth 1 -name 'incoming.*' -mmin +60 | xargs rm -rf
  find . -type f -mmin +${LONGEST_UNUSED} | xargs rm -f
  trees ${LONGEST_UNUSED}
  make_room
  touch ../tidied
}
[ "$then" = ask ] && [ "$(free)" -ge "$need" ] || make_room
[ "$(free)" -ge "$need" ] || full
mkdir -- "$in" || none
if [ "$how" = gzip ]; then gzip -dc | tar -xomf - -C "$in"; else tar -xomf - -C "$in"; fi || full
cat >/dev/null
cd -- "$in" || exit 1
set -- *
[ $# -eq "$count" ] || exit ${NOT_WHOLE}
for each; do printf '%s  %s\\n' "$each" "$each"; done | sha256sum -c >/dev/null 2>&1 || exit ${NOT_WHOLE}
printf '%s\\n' "$@" | xargs sh -c 'exec mv -f -- "$@" ../objects' mv || full
[ "$then" = ask ] || exit 0
cd ../objects && recipes=$(cat "$book") || exit ${NOT_WHOLE}
set -f --
for recipe in $recipes; do
  if [ -s "$recipe" ]; then set -- "$@" "$recipe"; else printf '%s\\n' "$recipe"; fi
done
[ $# -eq 0 ] || {
  pieces=$(printf '%s\\n' "$@" | xargs cat) || exit ${NOT_WHOLE}
  printf '%s\\n' "$book" "$@" $pieces | xargs touch -c
  for piece in $pieces; do [ -s "$piece" ] || printf '%s\\n' "$piece"; done
}
[ -n "$(find .. -maxdepth 1 -name tidied -mmin -${TIDY_EVERY})" ] || tidy`;

/**
 * Looks at every byte: `$1` store, `$2` digest of a recipe book. What is not what its name says is removed (a machine that lost
 * its power may have kept the name alone). Exit code ${NOT_WHOLE}: something was wrong, or is missing.
 */
export const VERIFY = `cd -- "$1/objects" && recipes=$(cat "$2") || exit ${NOT_WHOLE}
check() { for each; do printf '%s  %s\\n' "$each" "$each"; done | sha256sum -c 2>/dev/null | grep -v ': OK$' | cut -d : -f 1; }
bad=$(check $recipes)
[ -n "$bad" ] || bad=$(check $(printf '%s\\n' $recipes | xargs cat))
[ -n "$bad" ] || exit 0
printf '%s\\n' "$2" $bad | xargs rm -f
exit ${NOT_WHOLE}`;

/**
 * Writes the tar. Its end is written only after all that stands before it: when a piece is missing something else comes there,
 * so that nobody takes what came for the whole.
 */
export const WHOLE_TAR = `
whole_tar() {
  cd -- "$store/objects" && pieces=$(xargs cat <"$book") && printf '%s\\n' $pieces | xargs cat &&
    dd if=/dev/zero bs=512 count=2 2>/dev/null || printf 'a piece of the context is missing'
}`;

/** `$1` store, `$2` digest of a recipe book, then a command, which gets the tar as its standard input. */
export const FROM_STORE = `store=$1 book=$2; shift 2
${WHOLE_TAR}
whole_tar | "$@"`;
