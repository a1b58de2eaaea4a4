# Every way a .cfg can be wrong: one line on stderr, with file and line, what is wrong and what is allowed, and exit status 1.
. tests/lib.sh

cfg=$TMP_TEST/x.cfg

# exactly TEXT: prints a regular expression for the line "darknet: TEXT" and no other
exactly() { printf '^darknet: %s$' "$(printf %s "$1" | sed 's/[][\.*^$|(){}+?]/\\&/g')"; }

# refuses TEXT MESSAGE: checks that a .cfg of TEXT (with printf's escapes) gives FILE:MESSAGE. The
# slow tools run every fourth case here, as test_model has all of them.
count=0
refuses()
{
    count=$((count + 1))
    [ "$TEST_VARIANT" = release ] || [ $((count % 4)) -eq 0 ] || return 0
    printf "$1" >"$cfg"
    expect_error "$(exactly "$cfg:$2")" "$DARKNET_BIN" meta check "$cfg"
}

net='[net]\nwidth=8\nheight=6\nchannels=3\n'                        # lines 1 to 4
conv='[conv]\nfilters=2\nsize=3\nactivation=relu\n'
head='[conn]\noutput=2\nactivation=linear\n[softmax]\n'
layers='convolutional connected maxpool avgpool softmax shortcut route dropout activation cost crop reorg scale_channels local upsample'

# options
refuses "$net[episode]\nshots=0\n$conv$head" '6: [episode] shots=0: must be 1 to 1000'
refuses "$net[episode]\nqueries=1001\n$conv$head" '6: [episode] queries=1001: must be 1 to 1000'
refuses "$net[episode]\ntasks=4x\n$conv$head" '6: [episode] tasks=4x: must be a whole number, 1 to 1000'
refuses "$net[episode]\nshot=5\n$conv$head" '6: [episode] shot: unknown option; allowed: ways shots queries tasks sampler window explore'
refuses "$net[episode]\nsampler=teacher\n$conv$head" '6: [episode] sampler=teacher: must be uniform or curriculum'
refuses "$net[episode]\nwindow=0\n$conv$head" '6: [episode] window=0: must be 1 to 1000'
refuses "$net[episode]\nexplore=1.1\n$conv$head" '6: [episode] explore=1.1: must be 0 to 1'
refuses "$net[episode]\nways=2\nways=2\n$conv$head" '7: [episode] ways: repeated; first on line 6'
refuses "$net$conv$head[inner_loop]\nsteps=-1\n" '14: [inner_loop] steps=-1: must be 0 to 1000'
refuses "$net$conv$head[inner_loop]\ntest_steps=1001\n" '14: [inner_loop] test_steps=1001: must be 0 to 1000'
refuses "$net$conv$head[inner_loop]\nlearning_rate=nan\n" '14: [inner_loop] learning_rate=nan: must be a number, 0 to 10'
refuses "$net$conv$head[inner_loop]\nhead=zero\n" '14: [inner_loop] head=zero: must be learned or imprinted'
refuses "$net$conv[conn]\noutput=2\nactivation=relu\n[softmax]\n[inner_loop]\nsteps=2\nhead=imprinted\n" '15: [inner_loop] head=imprinted: needs a [connected] right before [softmax], with activation=linear and without batch_normalize and rotations'
refuses "$net$conv$head[inner_loop]\norder=0\nhead=imprinted\n" '14: [inner_loop] order=0 with head=imprinted: Reptile follows the steps, and what they start from has no gradient: must be learned'
refuses "$net$conv$head[inner_loop]\norder=3\n" '14: [inner_loop] order=3: must be 0 to 2'
refuses "$net$conv$head[inner_loop]\nadapt=body\n" '14: [inner_loop] adapt=body: must be all or head'
refuses "$net$conv$head[inner_loop]\nrates=pixel\n" '14: [inner_loop] rates=pixel: must be fixed, layer or parameter'
refuses "$net$conv$head[inner_loop]\nsteps=0\nrates=layer\n" '15: [inner_loop] rates=layer with steps=0: there is no step to learn rates of: must be fixed'
refuses "$net$conv$head[inner_loop]\nsteps=0\nmulti_step=9\n" '15: [inner_loop] multi_step=9 with steps=0: there is no step to score: must be 0'
refuses "$net$conv$head[inner_loop]\norder=0\nsteps=0\n" '14: [inner_loop] order=0 with steps=0: Reptile follows the steps: must be at least 1'
refuses "$net$conv$head[inner_loop]\norder=0\nadapt=head\n" '14: [inner_loop] order=0 with adapt=head: Reptile moves what the steps move, and the other layers would never learn: must be all'
refuses "$net$conv$head[inner_loop]\norder=0\nrates=parameter\n" '14: [inner_loop] order=0 with rates=parameter: Reptile has no gradient by the rates: must be fixed'
refuses "$net$conv$head[inner_loop]\norder=0\nmulti_step=3\n" '14: [inner_loop] order=0 with multi_step=3: Reptile has no query loss: must be 0'
refuses "$net$conv$head[inner_loop]\nstep=1\n" '14: [inner_loop] step: unknown option; allowed: steps test_steps learning_rate order second_order_start keep adapt rates multi_step head'
refuses "$net$conv$head[meta_loss]\ntype=hard\n" '14: [meta_loss] type=hard: must be difficulty or mean'
refuses "$net$conv$head[meta_loss]\neta=-1\n" '14: [meta_loss] eta=-1: must be 0 to 100'
refuses "$net$conv$head[meta_loss]\nepsilon=.6\n" '14: [meta_loss] epsilon=.6: must be 1e-12 to 0.5'
refuses "$net$conv$head[meta_loss]\nstart=1e3\n" '14: [meta_loss] start=1e3: must be a whole number, 0 to 1000000000'
refuses "$net$conv$head[meta_loss]\nbeta=1\n" '14: [meta_loss] beta: unknown option; allowed: type eta epsilon start normalise'
refuses "${net}width=8\n$conv$head" '5: [net] width: repeated; first on line 2'
refuses "${net}policy=sgdr\n$conv$head" '5: [net] policy=sgdr: must be constant, step, exp, poly, steps, sigmoid or cosine'
refuses "${net}policy=steps\nsteps=1,2\nscales=.1\n$conv$head" '7: [net] scales: has 1 numbers, but steps has 2: must be as many'
refuses "${net}average=1\n$conv$head" '5: [net] average=1: must be 0 to 0.999999'
refuses "${net}hue=2\n$conv$head" '5: [net] hue=2: must be 0 to 1'
refuses "${net}nesterov=1\n$conv$head" "5: [net] nesterov: unknown option; allowed: width height channels learning_rate policy step scale \
steps scales gamma power burn_in max_batches adam B1 B2 eps momentum decay clip average angle flip min_crop max_crop min_ratio max_ratio aspect hue \
saturation exposure orientation batch subdivisions inputs"
refuses "$net${conv}pading=1\n$head" '9: [conv] pading: unknown option; allowed: filters size stride pad padding batch_normalize groups dilation rotations activation'

# sections and their order
refuses "$net[foo]\n$conv$head" "5: [foo]: unknown section; known: net $layers affine episode film inner_loop meta_loss momentum prelu prototype relation"
refuses "$net$conv[yolo]\n$head" "9: [yolo]: meta-learning can't differentiate this layer; allowed: $layers affine film prelu prototype relation"
refuses "$net$conv[episode]\n$head" '9: [episode]: stands after [conv] of line 5: must be right after [net]'
refuses "$net$conv[inner_loop]\n$head" '10: [conn]: stands after [inner_loop] of line 9: must be between [net] and [inner_loop]'
refuses "$net$conv$head[meta_loss]\n[inner_loop]\n" '14: [inner_loop]: stands after [meta_loss] of line 13: must be after the last layer'
refuses "$conv$head" '1: [conv]: the first section must be [net]'

# layers that can't be differentiated as they are
refuses "$net${conv}groups=2\n$head" '9: [conv] groups=2: must divide its 3 input channels and filters=2'
refuses "${net}mosaic=1\n$conv$head" "5: [net] mosaic=1: another Darknet's way to train: must be 0, or left out"
refuses "$net${conv}xnor=1\n$head" '9: [conv] xnor=1: must be 0'
refuses "$net${conv}binary=1\n$head" '9: [conv] binary=1: must be 0'
refuses "$net[conv]\nactivation=sine\n$head" '6: [conv] activation=sine: must be linear, relu, leaky, logistic, relie, ramp, tanh, plse, elu, selu, loggy, stair, hardtan, lhtan, relu6, swish, mish, hard_mish or gelu'

# shapes
refuses "[net]\nwidth=8\nheight=8\n$conv$head" '1: [net]: channels is missing: must be at least 1'
refuses "[net]\nwidth=0\nheight=8\nchannels=3\n$conv$head" '2: [net] width=0: must be 1 to 65536'
refuses "$net[conv]\nsize=9\n$head" '6: [conv] size=9 does not fit its 8x6 input'
refuses "$net[episode]\n$conv[conn]\noutput=3\n[softmax]\n" '12: [softmax]: gives 3 probabilities, but [episode] has ways=2: must be equal'
refuses "$net$conv" '5: [convolutional]: the network must end with [softmax], not [convolutional]'
refuses "$net$conv[shortcut]\nfrom=5\n$head" '10: [shortcut] from=5: must be -1 to -1, back from here, or 0 to 0, from the first layer'

# networks that pair query images with classes
score='[conn]\noutput=1\nactivation=logistic\n'
none='[inner_loop]\nsteps=0\ntest_steps=0\norder=1\n'
refuses "$net$conv$score[cost]\n" '12: [cost]: scores pairs of query images and classes, which only [relation] and [prototype] make; allowed: [softmax]'
refuses "$net$conv[relation]\n$head" '13: [softmax]: its input is 1x1x2: must be one number, the score of a pair'
refuses "$net$conv[relation]\n[relation]\n$score[cost]\n" '10: [relation]: stands after [relation]: a network pairs once'
refuses "$net$conv[relation]\nsum=1\n$score[cost]\n" '10: [relation] sum: unknown option; allowed: none'
refuses "$net$conv[relation]\n[conn]\noutput=2\n[cost]\n" '12: [cost]: its input is 1x1x2: must be one number, the score of a pair'
refuses "$net$conv[relation]\n[conn]\noutput=1\nactivation=relu\n[cost]\n" '13: [cost]: scores must be from 0 to 1: the layer before must have activation=logistic, or [softmax] take the place of [cost]'
refuses "$net$conv[relation]\n$score[cost]\n[dropout]\n" '14: [dropout]: nothing can follow the cost'
refuses "$net$conv[relation]\n$score[cost]\ntype=masked\n" '14: [cost] type=masked: must be sse'
refuses "$net$conv[relation]\n$score[cost]\nscale=2\n" '14: [cost] scale=2: must be 1'
refuses "$net$conv[relation]\n$score" '10: [connected]: the network must end with [cost] or [softmax], not [connected]'
refuses "$net${conv}rotations=2\n$head" '9: [conv] rotations=2: must be 1 or 4'
refuses "$net${conv}rotations=4\n$head" '9: [conv] rotations=4: filters=2: must be a multiple of 4, a filter'"'"'s turns'
refuses "$net$conv[conv]\nfilters=4\nsize=3\nrotations=4\n$head" '12: [conv] rotations=4: stands after [convolutional] of line 5, whose maps do not turn with the image: must be with rotations=4, from the first convolution on'
refuses "$net$conv[prototype]\n[cost]\n" '10: [cost]: scores must be from 0 to 1: the layer before must have activation=logistic, or [softmax] take the place of [cost]'
refuses "$net$conv[prototype]\n[softmax]\n" '9: [inner_loop] steps=5: must be 0 with [prototype], which takes no steps in a task'
refuses "$net$conv[relation]\n[prototype]\n[softmax]\n" '10: [prototype]: stands after [relation]: a network pairs once'
refuses "$net$conv[prototype]\nscale=2\n[softmax]\n" '10: [prototype] scale: unknown option; allowed: none'
refuses "$net$conv[relation]\n[route]\nlayers=0\n$score[cost]\n" '11: [route] layers: layer 0 is before [relation], which a branch can'"'"'t pass; allowed: 1 to 1'
refuses "$net$conv[relation]\n[shortcut]\nfrom=-2\n$score[cost]\n" '11: [shortcut] from: layer 0 is before [relation], which a branch can'"'"'t pass; allowed: 1 to 1'
refuses "$net$conv[relation]\n$score[cost]\n" '9: [inner_loop] steps=5: must be 0 with [relation], which takes no steps in a task'
refuses "$net$conv[relation]\n$score[cost]\n[inner_loop]\nsteps=2\n" '15: [inner_loop] steps=2: must be 0 with [relation], which takes no steps in a task'
refuses "$net$conv[relation]\n$score[cost]\n[inner_loop]\nsteps=0\n" '14: [inner_loop] test_steps=10: must be 0 with [relation], which takes no steps in a task'
refuses "$net$conv[relation]\n$score[cost]\n${none/order=1/order=2}" '17: [inner_loop] order=2: must be 1 with [relation], which takes no steps in a task'
printf "$net$conv[relation]\n$score[cost]\n$none" >"$cfg"
expect_output 'identities hold' "$DARKNET_BIN" meta check "$cfg"

# files that are no .cfg
refuses '' ' has no sections: the first must be [net]'
refuses 'width=8\n' '1: width: stands before the first section: must be inside one'
refuses '[net]\nwidth 8\n' "2: 'width8': must be [section], key=value or a comment"
refuses '[net]\nwid\0th=8\n' '2: has a zero byte: must be a text file'
refuses "$net[episode]\n\033[2J\007=1\n" '6: [episode] ?[2J?: unknown option; allowed: ways shots queries tasks sampler window explore'
head -c 100000 /dev/urandom >"$cfg"
expect_error "^darknet: $cfg:[0-9]+: " "$DARKNET_BIN" meta check "$cfg"
{ printf "${net}steps="; head -c 100000 /dev/zero | tr '\0' 7; printf '\n'; } >"$cfg"
expect_error '5: \[net\] steps=7{50}\.\.\.: must be whole numbers, at least 0, separated by commas$' "$DARKNET_BIN" meta check "$cfg"
expect_error "$(exactly "$TMP_TEST/none.cfg: No such file or directory")" "$DARKNET_BIN" meta check "$TMP_TEST/none.cfg"
expect_error "$(exactly "$TMP_TEST: is not a regular file")" "$DARKNET_BIN" meta check "$TMP_TEST"
mkfifo "$TMP_TEST/pipe.cfg"
expect_error "$(exactly "$TMP_TEST/pipe.cfg: is not a regular file")" "$DARKNET_BIN" meta check "$TMP_TEST/pipe.cfg"

# weights whose number does not fit: 2^16 filters of 2^28 channels and 2^20 pixels
printf '[net]\nwidth=1\nheight=1\nchannels=1\n[connected]\noutput=16777216\nactivation=linear\n[route]\nlayers=-1%s\n[convolutional]\nfilters=65536\nsize=1024\npad=1\nstride=1024\nactivation=linear\n[softmax]\n' "$(printf ',-1%.0s' {2..16})" >"$cfg"
expect_error "^darknet: $cfg:10: \\[convolutional\\]: has too many weights: must be at most 268435456$" "$DARKNET_BIN" meta check "$cfg"

# a [dropout] whose masks would be another's
{ printf '[net]\nwidth=4\nheight=4\nchannels=1\n'; for k in {0..1023}; do printf '[activation]\nactivation=relu\n'; done; printf '[dropout]\n[connected]\noutput=2\nactivation=linear\n[softmax]\n'; } >"$cfg"
expect_error "^darknet: $cfg:2053: \\[dropout\\]: is layer 1024: must be among the first 1024, whose masks differ$" "$DARKNET_BIN" meta check "$cfg"

# what is no error: other systems' line ends, comments after values, blank lines, no newline at the end
printf "\xef\xbb\xbf# a comment\r\n\r\n$net$conv\r\n  [ conn ] # the last\r\n output = 2 ; two\r\nactivation=linear\r\n\r\n[softmax]" >"$cfg"
expect_output 'identities hold' "$DARKNET_BIN" meta check "$cfg"

# The other verbs refuse a wrong .cfg in the same words, and write nothing.
printf "$net[episode]\nshots=0\n$conv$head" >"$cfg"
mkdir "$TMP_TEST/empty"
for words in "train x.data $cfg" "test x.data $cfg x.weights"; do
    expect_error "$(exactly "$cfg:6: [episode] shots=0: must be 1 to 1000")" sh -c "cd '$TMP_TEST/empty' && '$DARKNET_BIN' meta $words"
done
check 'meta train and meta test of a wrong .cfg write nothing' rmdir "$TMP_TEST/empty"
