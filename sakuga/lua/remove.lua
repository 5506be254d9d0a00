-- Takes a clip out of the gallery and off the stage.   ARGV clip_id, act   Returns whether it was there
if not take_out(ARGV[1]) then return 0 end
note(ARGV[2])
return 1
