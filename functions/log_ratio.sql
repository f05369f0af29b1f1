select case when numerator > 0 and denominator > 0 then ln(numerator / denominator) end
