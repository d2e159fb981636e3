# Completion of sfprov in fish. The program itself knows what could stand at the cursor.
function __sfprov_complete
    set -l words (commandline -opc)
    set -l last (commandline -ct)
    set -l answers ($words[1] complete -- $words[2..-1] "$last" 2>/dev/null </dev/null)
    if test "$answers[1]" = ":files"
        __fish_complete_path "$last"
    else
        printf '%s\n' $answers
    end
end
complete -c sfprov -f -a '(__sfprov_complete)'
