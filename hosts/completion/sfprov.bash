# Completion of sfprov in bash. The program itself knows what could stand at the cursor; this lays
# its answer out for bash, which takes words apart at '=', '@' and ':' and completes the last part.
_sfprov()
{
	local line=${COMP_LINE:0:COMP_POINT} whole part=${COMP_WORDS[COMP_CWORD]} taken
	local -a words answers

	read -ra words <<<"$line"
	[[ $line == *[[:blank:]] ]] && words+=("")
	whole=${words[-1]}
	[[ $part == [=:@] ]] && part=
	taken=${whole%"$part"}
	COMPREPLY=()
	mapfile -t answers < <("${words[0]}" complete -- "${words[@]:1}" 2>/dev/null </dev/null)
	if [[ ${answers[0]-} == :files ]]; then
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$part")
		return
	fi
	answers=("${answers[@]%%$'\t'*}")
	COMPREPLY=("${answers[@]#"$taken"}")
}
complete -F _sfprov sfprov
