-- No hook runs inside string.find: the scout must be killed.
string.find(("a"):rep(40), ("a*"):rep(40) .. "b")
