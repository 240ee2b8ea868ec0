# shellcheck shell=bash
# The variables by which the parts of the start script hand results to each other. Every other variable is local to a
# function. BAKER_* come from /opt/baker/image.env; REPLY is the result of a function that has just one.

# Places in the image. /app/target is there only when somebody mounts it.
readonly bin=$root/opt/baker/bin stubs=$root/opt/baker/stubs crates=$root/opt/baker/crate target=$root/app/target
readonly tool=$bin/moshi-health    # the probe, which also reads configs

# start_moshi_server.sh: the command line, which is passed on, and what it asks for.
arguments=("$@")
worker=''    # 1 when a server is started: only that needs a card
config=''    # the file that --config names, and in which argument it stands
config_at=0
wish=''      # who asks for the CPU, for messages, such as --cpu; empty when nobody does
gid=0        # the group that the process runs with
home=''      # the folder of Hugging Face: what HF_HOME says, or its default
hub=''       # the models in it

# cards.sh, survey: the visible cards.
cards=unasked    # then known; unknown, when a card is there that could not be asked; or none
named=''         # them, for messages: 2 x NVIDIA L4 (8.9)
lowest=''        # the lowest capability, as 89
weakest=''       # a card that has it, for messages
driver=''        # the driver's version, when it is known
why=''           # why there is no card, the beginning of a message
# cards.sh, choose.
capability=''    # that of the best binary for all visible cards; empty when a card is older than all

# binaries.sh, find_binary, and compile.sh.
binary=''      # the file that will run
origin=''      # what it is, for messages: 0.6.4 (cuda)
version=''     # the version of the crate that is asked for, and its features
features=''
# binaries.sh, check: of one file.
problem=''     # why it cannot run; empty when it can
libcuda=''     # found, missing, none (it does not link libcuda.so.1), or unknown
# compile.sh, cached.
rejected=''    # why what the mounted /app/target has is not used

# config.sh, read_config: what the config makes the server do.
files=()       # the files of the hub that it loads
folders=()     # the folders that it logs to
log=''         # its log file of today
voices=()      # local folders of voices, and the default voice in each
bf16=''        # 1 when a module takes bf16 on a card
on_card=''     # 1 when a Python script would take the card, whatever --cpu says
keys=''        # how many keys may connect; empty when the config could not be read
anonymous=''   # true when the config has allow_anonymous = true
# config.sh, on_cpu.
derived=''     # the copy of the config in which everything computes on the CPU
